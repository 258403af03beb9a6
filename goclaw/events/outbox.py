"""Publishing: what is handed in during one tick of the loop leaves together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from goclaw.core.errors import GatewayError, Unavailable
from goclaw.events.frames import Message

log = structlog.get_logger()

LIMIT_MESSAGES: Final = 10_000
LIMIT_CHARS: Final = 32_000_000
RETRY_DELAYS_S: Final = (0.05, 0.2, 0.5)


class Batch:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.chars = 0
        self.sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_full(self) -> bool:
        return len(self.messages) >= LIMIT_MESSAGES or self.chars >= LIMIT_CHARS


class Outbox:
    """One statement is under way at a time; what comes meanwhile waits for the next one.

    A batch that may have arrived although its answer was lost is sent again, so receivers
    can see a message twice.
    """

    def __init__(self, send: Callable[[Sequence[Message]], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: Batch | None = None
        self._leaving: Batch | None = None
        self._sender: asyncio.Task[None] | None = None
        self._closed = False
        self.unsent = 0

    async def put(self, message: Message) -> None:
        """Returns when the message is on its way; raises Unavailable when it cannot be sent,
        or when too much waits already.
        """
        batch = self._add(message)
        if batch is None:
            raise stopping() if self._closed else Unavailable("fanout_unavailable", retry_after_s=1)
        await asyncio.shield(batch.sent)

    def post(self, message: Message) -> None:
        """Does not wait, and tells nobody of a failure; `unsent` counts it."""
        self._add(message)

    async def close(self) -> None:
        """Gives what still waits one last chance."""
        self._closed = True
        if self._sender is not None:
            sender = self._sender
            await asyncio.wait([sender], timeout=sum(RETRY_DELAYS_S))
            sender.cancel()

    def _add(self, message: Message) -> Batch | None:
        if self._closed or (self._waiting is not None and self._waiting.is_full):
            self.unsent += 1
            return None
        batch = self._waiting = self._waiting or Batch()
        batch.messages.append(message)
        batch.chars += len(message.text)
        if self._sender is None:
            self._start()
        return batch

    def _start(self) -> None:
        self._sender = asyncio.create_task(self._run(), name="fanout outbox")
        self._sender.add_done_callback(self._ended)

    async def _run(self) -> None:
        while self._waiting is not None:
            batch, self._waiting = self._waiting, None
            self._leaving = batch
            try:
                await self._send_stubbornly(batch.messages)
            except GatewayError as error:
                log.warning("fanout.unsent", messages=len(batch.messages), error=error.code)
                self._fail(batch, error)
            else:
                batch.sent.set_result(None)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Leaves nobody waiting, whatever ended the sender."""
        self._sender = None
        cancelled = task.cancelled()
        error = stopping() if cancelled else task.exception()
        if error is not None and not cancelled:
            log.error("fanout.failed", exc_info=error)
        if self._leaving is not None:
            self._fail(self._leaving, error)
        if self._waiting is not None and cancelled:
            self._fail(self._waiting, stopping())
        elif self._waiting is not None:
            self._start()

    def _fail(self, batch: Batch, error: BaseException | None) -> None:
        if error is not None and not batch.sent.done():
            self.unsent += len(batch.messages)
            batch.sent.set_exception(error)
            batch.sent.exception()  # told to those who wait; nobody has to

    async def _send_stubbornly(self, messages: Sequence[Message]) -> None:
        for delay_s in RETRY_DELAYS_S:
            try:
                await self._send(messages)
            except GatewayError:
                await asyncio.sleep(delay_s)
            else:
                return
        await self._send(messages)


def stopping() -> Unavailable:
    return Unavailable("stopping", retry_after_s=1)
