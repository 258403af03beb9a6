"""The nightly chore: deleting what is older than the settings keep."""

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from goclaw.core.callers import SYSTEM, system_caller
from goclaw.core.ids import uuid7
from goclaw.core.settings import Settings
from goclaw.models.activity import Activity
from goclaw.models.shapes import now
from goclaw.store.chores import claim_chore, finish_chore
from goclaw.store.database import Database
from goclaw.store.retention import delete_batch

log = structlog.get_logger()

CHORE: Final = "retention"


def last_due(at: datetime, hour: int) -> datetime:
    """The last time before `at` that it was this hour (UTC)."""
    today = at.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= at else today - timedelta(days=1)


class Retention:
    """Asked often and by every worker, done once a night: a machine that sleeps at night does
    it when it is awake again.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._worker = uuid7().hex
        self._hour = settings.retention_hour
        days = {
            "sessions": settings.keep_sessions_days,
            "spans": settings.keep_traces_days,
            "traces": settings.keep_traces_days,
            "cron_runs": settings.keep_runs_days,
            "delegations": settings.keep_runs_days,
            "runs": settings.keep_runs_days,
            "activity": settings.keep_activity_days,
        }
        self._keep = {what: timedelta(days=kept) for what, kept in days.items() if kept}

    async def run_if_due(self) -> None:
        """Raises Unavailable when the database is away; what is left is done the next time."""
        if not self._keep:
            return
        began = now()
        due = last_due(began, self._hour)
        if not await claim_chore(self._database, CHORE, self._worker, due):
            return
        for what, keep in self._keep.items():
            while await delete_batch(self._database, what, began - keep, CHORE, self._worker):
                """Until a batch finds nothing."""
        await self._finish(began)

    async def _finish(self, began: datetime) -> None:
        async with self._database.begin(system_caller()) as db:
            done = await finish_chore(db, CHORE, self._worker, began)
            deleted = {what: count for what, count in (done or {}).items() if count}
            if deleted:
                db.add(
                    Activity(
                        actor_type="system",
                        actor_id=SYSTEM,
                        action="retention.done",
                        entity_type="retention",
                        details={"deleted": deleted},
                    )
                )
        log.info("retention.done", **deleted)
