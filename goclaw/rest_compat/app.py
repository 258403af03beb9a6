"""The ASGI application of this door."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goclaw.core.errors import GatewayError, MethodNotAllowed, NotFound
from goclaw.resolvers.services import Services
from goclaw.rest_compat.endpoint import Endpoint
from goclaw.rest_compat.exchange import ClientGone, Exchange, header_lines
from goclaw.rest_compat.pages import PAGES
from goclaw.rest_compat.paths import Match, Paths
from goclaw.rest_compat.refusals import Internal, refuse
from goclaw.rest_compat.route import Route
from goclaw.rest_compat.routes import ROUTES

log = structlog.get_logger()

Answer = Callable[[Exchange, Mapping[str, str]], Awaitable[None]]
OPENAI_PATHS = ("/v1/chat/", "/v1/models", "/v1/embeddings", "/v1/responses")


def rest_app(services: Services, routes: Sequence[Route] = ROUTES) -> ASGIApp:
    """Answers every path; those it does not know with 404."""
    return RestApp(services, routes)


class RestApp:
    def __init__(self, services: Services, routes: Sequence[Route]) -> None:
        self._max_body_bytes = services.settings.max_body_bytes
        self._edge = services.edge
        self._paths: Paths[Answer] = Paths()
        self._public = {route.path for route in routes if route.anonymous} | set(PAGES)
        for route in routes:
            self._paths.add(route.method, route.path, _answer(route, services))
        for path, page in PAGES.items():
            self._paths.add("GET", path, page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        if scope["method"] == "HEAD":
            send = _without_body(send)
        exchange = Exchange(scope, receive, send, self._max_body_bytes)
        path = _path(scope)
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        try:
            await self._dispatch(exchange, path)
        except ClientGone:
            return
        except GatewayError as error:
            await self._refuse(exchange, path, error)
        except Exception as error:
            log.exception("request.failed", method=scope["method"], path=path)
            if exchange.started:
                raise
            await self._refuse(exchange, path, Internal(exchange.request_id), error)

    async def _dispatch(self, exchange: Exchange, path: str) -> None:
        origin = exchange.header(b"origin")
        if origin is not None:
            exchange.cors = header_lines(self._edge.origins.cors(origin))
        public = path in self._public
        exchange.session = await self._edge.admit(exchange.scope, exchange.headers, public=public)
        match = self._paths.find(path)
        if match is None:
            raise NotFound("not_found", path=path[:200])
        method = exchange.scope["method"]
        answer = match.methods.get("GET" if method == "HEAD" else method)
        if answer is not None:
            await answer(exchange, match.values)
        elif method == "OPTIONS" and exchange.cors:
            exchange.cors = header_lines(self._edge.origins.preflight(origin))
            await exchange.start(204, ())
            await exchange.send({"type": "http.response.body", "body": b""})
        else:
            raise MethodNotAllowed("method_not_allowed", method=method, allowed=_allowed(match))

    async def _refuse(
        self,
        exchange: Exchange,
        path: str,
        error: GatewayError,
        cause: BaseException | None = None,
    ) -> None:
        if exchange.started:
            raise error from cause
        await refuse(exchange, error, openai=path.startswith(OPENAI_PATHS))


def _answer(route: Route, services: Services) -> Answer:
    return Endpoint(route, services) if route.handler is None else route.handler(services)


def _path(scope: Scope) -> str:
    """As it was sent, without the prefix: uvicorn adds it, and a proxy may have left it on."""
    raw: bytes | None = scope.get("raw_path")
    path: str = scope["path"] if raw is None else raw.decode("latin-1")
    path = path.partition("?")[0]
    prefix: str = scope.get("root_path", "")
    if prefix:
        for _ in range(2):
            if path.startswith(prefix + "/"):
                path = path.removeprefix(prefix)
    return path


def _allowed(match: Match[Answer]) -> str:
    methods = set(match.methods)
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _without_body(send: Send) -> Send:
    """HEAD is GET whose body stays here."""
    done = False

    async def send_head(message: Message) -> None:
        nonlocal done
        if message["type"] == "http.response.start":
            await send(message)
        elif not done:
            done = True
            await send({"type": "http.response.body", "body": b""})

    return send_head
