"""What a worker does besides answering: saying that its runs live, ending those that do not,
throwing away what nobody needs any more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from goclaw.core.errors import Unavailable
from goclaw.runtime.retention import Retention
from goclaw.runtime.rollup import Rollup
from goclaw.runtime.runner import Runner
from goclaw.runtime.trace_writer import OnEnded
from goclaw.store.cron_due import trim_cron_runs
from goclaw.store.database import Database
from goclaw.store.events import trim_events
from goclaw.store.heartbeats import beat
from goclaw.store.idempotency import forget_old_requests
from goclaw.store.runs import end_lost_runs
from goclaw.store.traces import end_left_traces
from goclaw.store.web_sessions import sweep_web_sessions

log = structlog.get_logger()

BEAT_S: Final = 3.0
TIDY_S: Final = 3600.0


class Upkeep:
    def __init__(
        self,
        database: Database,
        runner: Runner,
        rollup: Rollup,
        retention: Retention,
        *,
        keep_events: timedelta,
        session_idle: timedelta,
        on_ended: OnEnded | None = None,
    ) -> None:
        """`on_ended` is told of the traces that are ended for workers that died."""
        self._database = database
        self._on_ended = on_ended
        self._rollup = rollup
        self._retention = retention
        self._keep_events = keep_events
        self._runner = runner
        self._session_idle = session_idle
        self._looked_until: datetime | None = None

    async def beat(self) -> None:
        """Until cancelled; what fails while the database is away is done at the next beat."""
        await _repeat(self._beat, BEAT_S)

    async def tidy(self) -> None:
        """The same once an hour. It may take long, and no run must be taken for lost meanwhile."""
        await _repeat(self._tidy, TIDY_S)

    async def _beat(self) -> None:
        if self._runner.live:
            asked = list(self._runner.live)
            heard = await beat(self._database, asked, self._runner.worker)
            if heard.stopped:
                self._runner.cancel_all()
            self._runner.cancel_these(heard.cancelled)
            self._runner.drop_lost(asked, heard.ours)
        self._looked_until, left = await end_left_traces(self._database, self._looked_until)
        if left:
            log.warning("traces.left", traces=len(left))
            self._tell_ended(left)
        if lost := await end_lost_runs(self._database):
            log.warning("runs.lost", runs=lost)
            self._runner.tell()

    def _tell_ended(self, traces: list[UUID]) -> None:
        if self._on_ended is not None:
            for trace_id in traces:
                self._on_ended(trace_id, None)

    async def _tidy(self) -> None:
        await forget_old_requests(self._database)
        await sweep_web_sessions(self._database, self._session_idle)
        await trim_cron_runs(self._database)
        trimmed = True
        while trimmed:
            trimmed = bool(await trim_events(self._database.pool, self._keep_events))
        await self._rollup.run_if_due()
        await self._retention.run_if_due()


async def _repeat(work: Callable[[], Awaitable[None]], pause_s: float) -> None:
    while True:
        try:
            await work()
        except Unavailable:
            log.warning("upkeep.delayed")
        await asyncio.sleep(pause_s)
