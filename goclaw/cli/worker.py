"""A worker process: `python -m goclaw.cli.worker <factory> <listening socket's fd>`."""

import gc
import os
import socket
import sys
from pkgutil import resolve_name
from threading import Thread
from typing import Any, Protocol

import uvicorn

from goclaw.cli.connection import connection_class
from goclaw.cli.orders import receive
from goclaw.cli.socket import Socket
from goclaw.core.logs import configure_logs, log_uncaught
from goclaw.core.settings import Settings
from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets, secrets_of_host
from goclaw.security.tls import server_context


class Stoppable(Protocol):
    """An application with streams that would otherwise hold the server up."""

    async def stop(self) -> None: ...


class Server(uvicorn.Server):
    """Has the application end its streams before connections are waited for."""

    def __init__(self, config: uvicorn.Config, app: Stoppable) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._app.stop()
        await super().shutdown(sockets)


def main() -> None:
    factory_name, fd = sys.argv[1:]
    create_app = resolve_name(factory_name)
    host = receive()
    settings = host.settings
    scrubber = Scrubber(Secrets(secrets_of_host(host)))
    configure_logs(settings.log_format, settings.log_level, scrubber.log_line)
    log_uncaught()
    app = create_app(host)
    server = Server(serving(app, settings), app)
    Thread(target=stop_with_parent, args=(server,), daemon=True).start()
    keep_loaded()
    server.run(sockets=[socket.socket(fileno=int(fd))])


def serving(app: Any, settings: Settings) -> uvicorn.Config:
    """Who stands behind proxies is found out by the application. Raises InvalidSettings."""
    secure = settings.tls_certificate is not None
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=connection_class(settings),
        ws=Socket,
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        root_path=settings.path_prefix,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
        ssl_context_factory=(lambda *_: server_context(settings)) if secure else None,
    )


def keep_loaded() -> None:
    """What is imported by now stays for good: collections need not look at it, nor be as
    frequent as for a program that has only begun. They took a tenth of a chat call.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def stop_with_parent(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    server.should_exit = True


if __name__ == "__main__":
    main()
