"""What a worker does besides answering: saying that its runs live, ending those that do not,
throwing away what nobody needs any more.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from goclaw.core.errors import Unavailable
from goclaw.runtime.retention import Retention
from goclaw.runtime.runner import Runner
from goclaw.store.database import Database
from goclaw.store.events import trim_events
from goclaw.store.idempotency import forget_old_requests
from goclaw.store.runs import beat, end_lost_runs
from goclaw.store.web_sessions import sweep_web_sessions

log = structlog.get_logger()

BEAT_S: Final = 10.0
TIDY_EVERY: Final = 360
"""Beats between two clean-ups: an hour."""


class Upkeep:
    def __init__(
        self,
        database: Database,
        runner: Runner,
        retention: Retention,
        *,
        keep_events: timedelta,
        session_idle: timedelta,
    ) -> None:
        self._database = database
        self._retention = retention
        self._keep_events = keep_events
        self._runner = runner
        self._session_idle = session_idle

    async def run(self) -> None:
        """Until cancelled; what fails while the database is away is done at the next beat."""
        beats = 0
        while True:
            try:
                await self._beat()
                if beats % TIDY_EVERY == 0:
                    await self._tidy()
            except Unavailable:
                log.warning("upkeep.delayed")
            beats += 1
            await asyncio.sleep(BEAT_S)

    async def _beat(self) -> None:
        if self._runner.live:
            await beat(self._database, list(self._runner.live))
        if lost := await end_lost_runs(self._database):
            log.warning("runs.lost", runs=lost)
            self._runner.tell()

    async def _tidy(self) -> None:
        await forget_old_requests(self._database)
        await sweep_web_sessions(self._database, self._session_idle)
        trimmed = True
        while trimmed:
            trimmed = bool(await trim_events(self._database.pool, self._keep_events))
        await self._retention.run_if_due()
