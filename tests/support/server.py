"""The gateway served by uvicorn, as a worker serves it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from goclaw.app import create_app
from goclaw.app.gateway import Gateway
from goclaw.cli.worker import serving
from goclaw.core.host import Host
from goclaw.resolvers.services import Services


@dataclass(frozen=True, slots=True)
class RunningServer:
    """`url` has no slash at its end."""

    url: str
    app: Gateway
    host: Host

    @property
    def services(self) -> Services:
        return self.app.services

    @property
    def token(self) -> str:
        token = self.host.settings.gateway_token
        return "" if token is None else token.get_secret_value()


@asynccontextmanager
async def running_server(host: Host) -> AsyncIterator[RunningServer]:
    app = create_app(host)
    listener = socket.create_server(("127.0.0.1", 0))
    config = serving(app, host.settings)
    config.loop, config.timeout_graceful_shutdown = "none", 2
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:
        if running.done():
            await running
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.01)
    try:
        yield RunningServer(
            f"{host.settings.scheme}://127.0.0.1:{listener.getsockname()[1]}", app, host
        )
    finally:
        await app.stop()
        server.should_exit = True
        await running
