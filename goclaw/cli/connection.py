"""One HTTP connection of uvicorn, with what uvicorn leaves unlimited: how long a client may take
to send a request and to read its answer, how much a head may hold, and how many connections one
address may have.
"""

from asyncio import TimerHandle, Transport
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, ClassVar, Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from goclaw.core.settings import Settings
from goclaw.security.headers import ALWAYS
from goclaw.security.proxies import Proxies
from goclaw.security.rates import group_of

log = structlog.get_logger()

HEAD_TOO_LARGE: Final = b'{"error":"the head of the request is too large","code":"head_too_large"}'
HEAD_TOO_SLOW: Final = b'{"error":"the request did not arrive in time","code":"request_too_slow"}'
TOO_MANY: Final = (
    b'{"error":"too many connections from this address","code":"too_many_connections"}'
)


class Waiting(Enum):
    """What the client owes."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class Limits:
    """Of all connections of a worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.proxies = Proxies(settings)
        self.open: Counter[str] = Counter()

    def take(self, address: str) -> bool:
        """Those of trusted proxies are many people's, and not counted."""
        most = self.settings.connections_per_address
        if self.proxies.trusts(address):
            return True
        group = group_of(address)
        if most and self.open[group] >= most:
            return False
        self.open[group] += 1
        return True

    def give_back(self, address: str) -> None:
        group = group_of(address)
        if self.open[group] > 0:
            self.open[group] -= 1
        if not self.open[group]:
            del self.open[group]


class Connection(HttpToolsProtocol):
    limits: ClassVar[Limits]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._counted: str | None = None
        self._waiting = Waiting.HEAD
        self._head_bytes = 0
        self._since = 0.0
        self._heard = 0.0
        self._watch: TimerHandle | None = None
        self._watched = Waiting.NOTHING
        self._writing: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else None
        if address is not None:
            if not self.limits.take(address):
                self._refuse(429, "Too Many Requests", TOO_MANY)
                return
            self._counted = address
        self._since = self._heard = self.loop.time()
        self._look_again(self.limits.settings.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._heard = self.loop.time()
        if self._waiting is not Waiting.BODY:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._waiting is Waiting.HEAD and self._head_bytes > self._most_head:
            self._refuse(431, "Request Header Fields Too Large", HEAD_TOO_LARGE)
        elif self._waiting not in (Waiting.NOTHING, self._watched):
            self._look_again(self._patience)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._waiting = Waiting.HEAD
        self._since = self._heard

    def on_headers_complete(self) -> None:
        self._waiting = Waiting.BODY
        if self._head_bytes <= self._most_head or self._head_size() <= self._most_head:
            super().on_headers_complete()
            return
        app, self.app = self.app, head_too_large
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_message_complete(self) -> None:
        self._waiting = Waiting.NOTHING
        self._head_bytes = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._let_go()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self._longest_write, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    @property
    def _most_head(self) -> int:
        return self.limits.settings.max_header_bytes

    @property
    def _longest_write(self) -> int:
        return self.limits.settings.write_timeout_s

    @property
    def _patience(self) -> int:
        settings = self.limits.settings
        body = self._waiting is Waiting.BODY
        return settings.body_timeout_s if body else settings.header_timeout_s

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _look_again(self, after_s: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watched = self._waiting
        self._watch = self.loop.call_later(after_s, self._look)

    def _look(self) -> None:
        """A head has its time as a whole, a body for each piece; what we do not read ourselves
        is not the client's fault.
        """
        self._watch, self._watched = None, Waiting.NOTHING
        if self._waiting is Waiting.NOTHING or self.transport.is_closing():
            return
        body = self._waiting is Waiting.BODY
        now = self.loop.time()
        since = now if body and self.flow.read_paused else self._heard if body else self._since
        left_s = since + self._patience - now
        if left_s > 0:
            self._look_again(left_s)
            return
        if (body and self.cycle.response_started) or (not body and not self._head_bytes):
            self.transport.close()
        else:
            self._refuse(408, "Request Timeout", HEAD_TOO_SLOW)

    def _give_up(self) -> None:
        log.info("connection.too_slow")
        self.transport.abort()

    def _refuse(self, status: int, phrase: str, body: bytes) -> None:
        lines = [f"HTTP/1.1 {status} {phrase}".encode(), b"content-type: application/json"]
        lines += [name + b": " + value for name, value in ALWAYS]
        lines += [b"content-length: " + str(len(body)).encode(), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _let_go(self) -> None:
        if self._counted is not None:
            self.limits.give_back(self._counted)
            self._counted = None
        for timer in (self._watch, self._writing):
            if timer is not None:
                timer.cancel()
        self._watch = self._writing = None


def connection_class(settings: Settings) -> type[Connection]:
    """For one worker, as uvicorn makes connections without arguments of ours."""
    return type("Connection", (Connection,), {"limits": Limits(settings)})


async def head_too_large(
    _scope: Any, _receive: Any, send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), *ALWAYS]
    headers.append((b"content-length", str(len(HEAD_TOO_LARGE)).encode()))
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": HEAD_TOO_LARGE})
