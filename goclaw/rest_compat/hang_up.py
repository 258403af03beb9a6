"""Clients that hang up."""

import asyncio
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

WATCH_AFTER_S: Final = 0.2
"""A call that is over by then needs no task that listens beside it."""


class HangUp:
    """Cancels the current task when the client hangs up; the block then ends in silence."""

    __slots__ = ("_gone", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._begin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        task = self._task
        # A task that was cancelled leads back to this object, and with it to the whole call.
        self._task = self._timer = self._watcher = None
        if not self._gone or task is None:
            return False
        task.uncancel()
        return kind is not None and issubclass(kind, asyncio.CancelledError)

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None and not self._gone:
            self._gone = True
            self._task.cancel()
