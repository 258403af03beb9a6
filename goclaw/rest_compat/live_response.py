"""A response that goes on: server-sent events with keep-alives and a deadline for each send."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

from goclaw.rest_compat.exchange import Exchange
from goclaw.rest_compat.hang_up import KEEP_ALIVE_S, SEND_TIMEOUT_S, HangUp

COMMENT: Final = b": keep-alive\n\n"
EVENT_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class LiveResponse:
    """Starts with its first write, at the latest when the first keep-alive is due.

    One timer serves both: it writes a comment when nothing was written since its last turn,
    and gives the client up when a write has waited too long.
    """

    __slots__ = ("_exchange", "_hang_up", "_headers", "_loop", "_quiet", "_sending_since",
                 "_tick", "_timer")  # fmt: skip

    def __init__(
        self, exchange: Exchange, hang_up: HangUp, headers: Sequence[tuple[bytes, bytes]]
    ) -> None:
        self._exchange = exchange
        self._hang_up = hang_up
        self._headers = (*EVENT_HEADERS, *headers)
        self._loop = asyncio.get_running_loop()
        self._quiet = True
        self._sending_since = 0.0
        self._tick: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(KEEP_ALIVE_S, self._turn)

    @property
    def started(self) -> bool:
        return self._exchange.started

    def write(self, chunk: bytes) -> Awaitable[None]:
        """No coroutine of its own, as there is one write a delta."""
        self._quiet = False
        if self._tick is not None:
            return self._after_tick(chunk)
        return self._send(chunk, more=True)

    async def end(self, chunk: bytes = b"") -> None:
        self._quiet = False
        if self._tick is not None:
            await self._tick
        await self._send(chunk, more=False)
        self.close()

    def close(self) -> None:
        self._timer.cancel()

    async def _after_tick(self, chunk: bytes) -> None:
        if self._tick is not None:
            await self._tick
        await self._send(chunk, more=True)

    async def _send(self, chunk: bytes, *, more: bool) -> None:
        self._sending_since = self._loop.time()
        if not self._exchange.started:
            await self._exchange.start(200, self._headers)
        await self._exchange.send({"type": "http.response.body", "body": chunk, "more_body": more})
        self._sending_since = 0.0

    def _turn(self) -> None:
        waiting_s = self._loop.time() - self._sending_since
        if self._sending_since and waiting_s > SEND_TIMEOUT_S:
            self._hang_up.give_up()
            return
        if self._quiet and not self._sending_since:
            self._tick = self._loop.create_task(self._keep_alive())
        self._quiet = True
        self._timer = self._loop.call_later(KEEP_ALIVE_S, self._turn)

    async def _keep_alive(self) -> None:
        try:
            await self._send(COMMENT, more=True)
        finally:
            self._tick = None
