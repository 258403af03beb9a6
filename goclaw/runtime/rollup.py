"""The hourly chore: counting what the runs of the hours that are over used."""

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from goclaw.core.callers import system_caller
from goclaw.core.ids import uuid7
from goclaw.models.shapes import now
from goclaw.store.chores import claim_chore, finish_chore, keep_chore
from goclaw.store.database import Database
from goclaw.store.rollup import begin_again, count_next_hour

log = structlog.get_logger()

CHORE: Final = "usage"
SETTLES: Final = timedelta(minutes=5)
"""How long after an hour the ends of its runs, and their traces, may be written."""


def last_full_hour(at: datetime) -> datetime:
    """The end of the last hour that is over and has settled."""
    settled = at.astimezone(UTC) - SETTLES
    return settled.replace(minute=0, second=0, microsecond=0)


class Rollup:
    """Asked by every worker, done once an hour. What it has not come to is read from the runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._worker = uuid7().hex

    async def run_if_due(self) -> None:
        """Raises Unavailable when the database is away; what is left is done the next time."""
        began = now()
        until = last_full_hour(began)
        if not await claim_chore(self._database, CHORE, self._worker, until):
            return
        hours, at = 0, await begin_again(self._database, began)
        while at := await count_next_hour(self._database, at, until):
            hours += 1
            if not await keep_chore(self._database, CHORE, self._worker):
                return
        async with self._database.begin(system_caller()) as db:
            await finish_chore(db, CHORE, self._worker, until)
        if hours:
            log.info("usage.counted", hours=hours, until=until.isoformat())
