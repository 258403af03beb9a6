"""A response that goes on: server-sent events with keep-alives."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

from goclaw.rest_compat.exchange import Exchange

KEEP_ALIVE_S: Final = 15
COMMENT: Final = b": keep-alive\n\n"
EVENT_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class LiveResponse:
    """Starts with its first write, at the latest when the first keep-alive is due: a comment,
    when nothing was written since the timer's last turn. How long a client may take to read is
    its connection's to say (`write_timeout_s`).
    """

    __slots__ = ("_exchange", "_headers", "_loop", "_quiet", "_tick", "_timer")

    def __init__(self, exchange: Exchange, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._exchange = exchange
        self._headers = (*EVENT_HEADERS, *headers)
        self._loop = asyncio.get_running_loop()
        self._quiet = True
        self._tick: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(KEEP_ALIVE_S, self._turn)

    @property
    def started(self) -> bool:
        return self._exchange.started

    def write(self, chunk: bytes) -> Awaitable[None]:
        """No coroutine of its own, as there is one write a delta."""
        self._quiet = False
        if self._tick is None and self._exchange.started:
            return self._exchange.send(
                {"type": "http.response.body", "body": chunk, "more_body": True}
            )
        return self._in_turn(chunk, more=True)

    async def end(self, chunk: bytes = b"") -> None:
        self._quiet = False
        await self._in_turn(chunk, more=False)
        self.close()

    def close(self) -> None:
        self._timer.cancel()

    async def _in_turn(self, chunk: bytes, *, more: bool) -> None:
        if self._tick is not None:
            await self._tick
        await self._send(chunk, more=more)

    async def _send(self, chunk: bytes, *, more: bool) -> None:
        if not self._exchange.started:
            await self._exchange.start(200, self._headers)
        await self._exchange.send({"type": "http.response.body", "body": chunk, "more_body": more})

    def _turn(self) -> None:
        if self._quiet:
            self._tick = self._loop.create_task(self._keep_alive())
        self._quiet = True
        self._timer = self._loop.call_later(KEEP_ALIVE_S, self._turn)

    async def _keep_alive(self) -> None:
        try:
            await self._send(COMMENT, more=True)
        finally:
            self._tick = None
