"""The ASGI application of one worker: which door a path leads to, and how all of them open."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goclaw.app.services import carry_jobs, open_services
from goclaw.core.host import Host
from goclaw.resolvers.services import Services
from goclaw.rest_compat.app import rest_app
from goclaw.rest_compat.page import Page
from goclaw.rest_compat.probes import Probes
from goclaw.schema.app import graphql_app
from goclaw.security.headers import completed
from goclaw.security.proxies import Proxies
from goclaw.security.rates import QUOTA

log = structlog.get_logger()

GRAPHQL: Final = ("/graphql", "/graphql/")
PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
REST: Final = ("/v1/", "/docs/")
REST_EXACT: Final = frozenset({"/health", "/docs", "/v1"})

JOBS_END_S: Final = 5.0
"""How long the job engine may take to stop; it waits for the database, which may not answer."""


class Gateway:
    """`stop` is to be called before connections are waited for, so that open streams end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._prefix = host.settings.path_prefix
        self._proxies = Proxies(host.settings) or None
        self._stack = AsyncExitStack()
        self._services: Services | None = None
        self._jobs: asyncio.Task[None] | None = None
        self._handing_back: asyncio.Task[None] | None = None
        self._graphql: ASGIApp
        self._rest: ASGIApp
        self._probes: ASGIApp
        self._page: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if self._proxies is not None:
            self._proxies.resolve(scope)
        if self._prefix:
            scope = self._without_prefix(scope)
        QUOTA.set(None)
        if scope["type"] == "http":
            send = with_headers(send, secure=scope["scheme"] == "https")
        await self._door(scope["path"])(scope, receive, send)

    def _door(self, path: str) -> ASGIApp:
        if path.startswith(REST) or path in REST_EXACT:
            return self._rest
        if path.startswith(GRAPHQL):
            return self._graphql
        if path in PROBES:
            return self._probes
        return self._page

    def _without_prefix(self, scope: Scope) -> Scope:
        """Whether the proxy left the prefix on the path or took it off: uvicorn adds it."""
        path: str = scope["path"]
        for _ in range(2):
            if path == self._prefix or path.startswith(self._prefix + "/"):
                path = path.removeprefix(self._prefix) or "/"
        return {**scope, "path": path}

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            log.exception("worker.start_failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        self._jobs = asyncio.create_task(carry_jobs(self.services))
        await receive()
        await self._stop_jobs()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        services = await self._stack.enter_async_context(open_services(self._host))
        self._services = services
        self._graphql = graphql_app(services)
        self._rest = rest_app(services)
        self._probes = Probes(services)
        self._page = Page(self._prefix)

    @property
    def services(self) -> Services:
        """There from start-up to shutdown."""
        if self._services is None:
            raise RuntimeError("the worker has not started")
        return self._services

    async def stop(self) -> None:
        """New runs are refused, `/readyz` says so, jobs are taken no more, and subscriptions end
        with a reason. Runs that others may carry on have the grace to finish.
        """
        if self._services is not None:
            runner = self._services.runner
            runner.stopping = True
            if self._jobs is not None:
                self._jobs.cancel()
            grace_s = self._host.settings.shutdown_grace_s
            self._handing_back = asyncio.create_task(runner.hand_back(grace_s))
            await self._services.hub.stop()

    async def _stop_jobs(self) -> None:
        """Returns when none of them is carried here any more. They say so to the database, but are
        not waited for when that does not answer: whoever finds their workers silent goes on.
        """
        if self._handing_back is not None:
            await asyncio.wait([self._handing_back])
        if self._jobs is None:
            return
        if not self._jobs.cancelling():  # a second time would break off how they end
            self._jobs.cancel()
        _, late = await asyncio.wait([self._jobs], timeout=JOBS_END_S)
        if late:
            log.warning("jobs.not_ended", after_s=JOBS_END_S)
            self._jobs.cancel()


def with_headers(send: Send, *, secure: bool) -> Send:
    """No answer leaves without them, whichever door it comes from."""

    def complete(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = completed(message.get("headers", ()), secure=secure)
        return send(message)

    return complete
