"""Tasks that must live as long as their worker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from goclaw.core.tasks import cancelled

log = structlog.get_logger()

RESTART_S: Final = 1.0


class Background:
    """Runs `work` until stopped; should it ever fail, that is logged and it is begun again."""

    def __init__(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._restart: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
        if self._task is not None:
            self._task.remove_done_callback(self._ended)
            await cancelled([self._task])

    async def _run(self) -> None:
        await self._work()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.error("background.failed", name=self._name, exc_info=task.exception())
        self._restart = asyncio.get_running_loop().call_later(RESTART_S, self.start)
