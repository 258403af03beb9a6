"""How many runs of a kind go on at once in this worker, where they are not jobs of the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from goclaw.core.errors import RateLimited
from goclaw.core.settings import Settings
from goclaw.runtime.job_runs import Lane

FULL_RETRY_S: Final = 5


@dataclass(slots=True)
class _Track:
    places: asyncio.Semaphore
    waiting: int = field(default=0)


class Lanes:
    """Sub-agents and delegated tasks wait here for a free place, in the order they came. Whoever
    waits holds no session yet. Wakes and cron runs wait in the queue of all servers instead, and
    calls whose caller is there do not wait at all.
    """

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.lane_queue
        self._tracks = {
            Lane.SUBAGENT: _Track(asyncio.Semaphore(settings.lane_subagent)),
            Lane.DELEGATE: _Track(asyncio.Semaphore(settings.lane_delegate)),
        }

    @asynccontextmanager
    async def place(self, lane: Lane) -> AsyncIterator[None]:
        """Raises RateLimited when too many wait already."""
        track = self._tracks[lane]
        if track.waiting >= self._limit:
            raise RateLimited("lane_full", lane=lane, limit=self._limit, retry_after_s=FULL_RETRY_S)
        track.waiting += 1
        try:
            await track.places.acquire()
        finally:
            track.waiting -= 1
        try:
            yield
        finally:
            track.places.release()
