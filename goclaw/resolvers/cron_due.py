"""What the clock has cron jobs do: begin when they are due, and say what came of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog

from goclaw.core.callers import system_caller
from goclaw.core.errors import Conflict, GatewayError
from goclaw.core.ids import uuid7
from goclaw.models.cron import (
    MOST_FAILURES,
    CronJob,
    CronRun,
    CronRunStatus,
    CronTrigger,
    DeliveryStatus,
)
from goclaw.models.events import Audience, Event
from goclaw.models.runs import Run
from goclaw.models.shapes import now
from goclaw.resolvers.carrying import acting
from goclaw.resolvers.context import Context
from goclaw.resolvers.cron_turns import cron_turn
from goclaw.resolvers.services import Services
from goclaw.store.cron_due import (
    Begin,
    ToDo,
    due_cron_jobs,
    ended_cron_runs,
    look,
    remove_if_over,
    still_due,
)
from goclaw.store.database import Db

log = structlog.get_logger()

WAITING: Final = frozenset({"cron_job_busy", "session_queue_full", "job_queue_full"})
"""Somebody else is at it, or it stays due until there is room."""
STOPPED: Final = frozenset({"runs_stopped", "runs_stopped_because"})
"""Not the job's fault: its time is skipped."""


class Ending(NamedTuple):
    """What came of one time; `code` and `reason` say why it failed or was skipped."""

    status: CronRunStatus
    at: datetime
    code: str | None
    reason: str | None


def as_server(services: Services) -> Context:
    return Context(services, system_caller(), "cron")


async def what_is_to_do(services: Services) -> ToDo:
    return await look(services.database)


async def due_now(services: Services, without: Sequence[UUID] = ()) -> Sequence[CronJob]:
    """Some of the jobs that are due, those that are so for longest first."""
    async with services.database.begin(system_caller()) as db:
        return await due_cron_jobs(db, without)


def time_to_run(job: CronJob, at: datetime) -> datetime | None:
    """The time to run it for, which is missed by no more than its grace; of several that went by
    the first of those. None when all came too long ago.
    """
    assert job.next_run_at is not None
    earliest = at - timedelta(seconds=job.grace_s)
    if job.next_run_at >= earliest:
        return job.next_run_at
    due = job.next_after(earliest)
    return due if due is not None and due <= at else None


async def begin_due(services: Services, job: CronJob) -> None:
    """Runs a job that is due, or notes why not. Raises Unavailable when the database is away;
    then it is due still.
    """
    assert job.next_run_at is not None
    # Another replica's clock may be ahead of ours: never the same time twice.
    at = max(now(), job.next_run_at)
    due_at = time_to_run(job, at)
    if due_at is None:
        await _note(services, job, at, CronRunStatus.SKIPPED, Conflict("cron_missed"))
    elif job.run_id is not None:
        await _note(services, job, at, CronRunStatus.SKIPPED, Conflict("cron_still_running"))
    else:
        await _begin(services, job, at, due_at)
    services.hub.wake()


async def _begin(services: Services, job: CronJob, at: datetime, due_at: datetime) -> None:
    run_id = uuid7()
    next_run_at = job.next_after(at)
    begin = Begin(job.id, CronTrigger.DUE, job.user_id, due_at, next_run_at, job.next_run_at)
    try:
        owner = await acting(services, job.user_id, job.key_id, run_id)
        turn = await cron_turn(owner, job, run_id)
        await services.job_runs.queue_cron(run_id, turn, begin)
    except GatewayError as error:
        if error.code == "database_unavailable":
            raise
        if error.code in WAITING:
            return
        skipped = error.code in STOPPED
        status = CronRunStatus.SKIPPED if skipped else CronRunStatus.ERROR
        await _note(services, job, at, status, error)


async def _note(
    services: Services, job: CronJob, at: datetime, status: CronRunStatus, error: GatewayError
) -> None:
    """A time that led to no run; the job moves on to its next."""
    assert job.next_run_at is not None
    ctx = as_server(services)
    async with ctx.db() as db:
        row = await still_due(db, job.id, job.next_run_at)
        if row is None:
            return
        noted = CronRun(
            job_id=row.id,
            trigger=CronTrigger.DUE,
            asked_by=row.user_id,
            due_at=job.next_run_at,
            started_at=at,
            status=CronRunStatus.STARTED,
        )
        db.add(noted)
        row.next_run_at = row.next_after(at)
        reason = services.scrubber.scrub(str(error))
        _end(ctx, db, row, noted, Ending(status, at, error.code, reason))


async def settle_ended(services: Services) -> int:
    """Notes what came of runs that have ended; tells of how many."""
    ctx = as_server(services)
    async with ctx.db() as db:
        rows = await ended_cron_runs(db)
        for noted, job, run in rows:
            if job.run_id == noted.run_id:
                job.run_id = None
            _end(ctx, db, job, noted, _ending(run))
            await db.flush()
            await forget_if_over(ctx, db, job.id)
    return len(rows)


def _ending(run: Run | None) -> Ending:
    if run is None:
        lost = Conflict("run_lost")
        return Ending(CronRunStatus.ERROR, now(), lost.code, str(lost))
    status = CronRunStatus(run.status)
    return Ending(status, run.ended_at or now(), run.error_code, run.error_message)


def _end(ctx: Context, db: Db, job: CronJob, noted: CronRun, ending: Ending) -> None:
    noted.status, noted.ended_at, noted.error_code, noted.error_message = ending
    if ending.status is CronRunStatus.SKIPPED:
        tell(db, "cron_job.skipped", job, error_code=ending.code)
        return
    if job.delivery_url is not None:
        noted.delivery, noted.delivery_at = DeliveryStatus.PENDING, now()
    told = {"run_id": noted.run_id, "status": ending.status, "error_code": ending.code}
    tell(db, "cron_job.ended", job, **told)
    if ending.status is CronRunStatus.COMPLETED:
        job.failures = 0
    elif ending.status is CronRunStatus.ERROR:
        job.failures += 1
        if job.failures >= MOST_FAILURES and job.enabled:
            _pause(ctx, db, job, ending)


def _pause(ctx: Context, db: Db, job: CronJob, ending: Ending) -> None:
    job.enabled, job.next_run_at = False, None
    job.pause_reason = ending.reason or ending.code
    ctx.announce(
        db, "cron_job.paused", job, agent_id=job.agent_id, name=job.name, error_code=ending.code
    )


async def forget_if_over(ctx: Context, db: Db, job_id: UUID) -> None:
    """Deletes a job that was to run but once, when there is nothing more to come of it."""
    gone = await remove_if_over(db, job_id)
    if gone is not None:
        ctx.announce(db, "cron_job.deleted", gone, agent_id=gone.agent_id, name=gone.name)


def tell(db: Db, kind: str, job: CronJob, **more: Any) -> None:
    """An event without an audit row: nobody did it."""
    payload = {"id": str(job.id), **{name: _plain(value) for name, value in more.items()}}
    db.add(
        Event(
            topic="cron_job",
            kind=kind,
            user_id=job.user_id,
            agent_id=job.agent_id,
            audience=Audience.USER,
            payload=payload,
        )
    )


def _plain(value: Any) -> Any:
    return None if value is None else str(value)
