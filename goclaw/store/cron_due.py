"""What the clock does with cron jobs: beginning them, noting how they ended, delivering.

Every replica looks; each time is one replica's, as what it claims it changes with the same
statement, and what another holds is left to that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, func
from sqlmodel import col, select

from goclaw.core.ids import uuid7
from goclaw.core.schedules import ScheduleKind
from goclaw.models.cron import CronJob, CronRun, CronRunStatus, CronTrigger, DeliveryStatus
from goclaw.models.runs import Run, RunStatus
from goclaw.store.database import Database, Db, fetch
from goclaw.store.queue import Queued, QueuedRun, outcome, queue_arguments, queue_statement

BATCH: Final = 50
KEPT: Final = 500
"""Times of one job that its history holds; older ones go."""

LOOK: Final = """
select
    exists (select from cron_jobs
        where next_run_at <= now() and (run_id is null or kind <> 'at')) as due,
    exists (select from cron_runs left join runs on runs.id = cron_runs.run_id
        where cron_runs.status = 'started'
            and (runs.id is null or runs.status not in ('queued', 'running'))) as ended,
    exists (select from cron_runs where delivery = 'pending' and delivery_at <= now()) as pending
"""
"""A time that comes only once waits for the run that goes on; others are skipped."""

_NOTED: Final = """noted as (
    insert into cron_runs (id, job_id, run_id, trigger, asked_by, due_at, started_at, status,
        delivery_attempts)
    select $19, id, $1, $20, $21, $22, $11, 'started', 0 from claim
), heard as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select gen_random_uuid(), 'cron_job', 'cron_job.started', $4, $3, 'user',
        jsonb_build_object('id', id, 'run_id', $1, 'trigger', $20::text) from claim
)"""

DUE: Final = queue_statement(
    """claim as (
    update cron_jobs set next_run_at = $23, last_run_at = $11, run_id = $1
    from waiting where here < $16 and total < $17 and cron_jobs.id = (
        select id from cron_jobs where id = $18 and next_run_at = $24 and run_id is null
        for update skip locked)
    returning cron_jobs.id
)""",
    _NOTED,
)
MANUAL: Final = queue_statement(
    """claim as (
    update cron_jobs set last_run_at = $11, run_id = $1
    from waiting where here < $16 and total < $17 and cron_jobs.id = $18 and run_id is null
    returning cron_jobs.id
)""",
    _NOTED,
)
TRIM: Final = f"""
delete from cron_runs using (
    select id, row_number() over (partition by job_id order by id desc) as place from cron_runs
    where status <> 'started' and delivery is distinct from 'pending'
) as placed
where cron_runs.id = placed.id and place > {KEPT}
"""


@dataclass(frozen=True, slots=True)
class Begin:
    """One time of a job. `next_run_at` is the time after it, `claimed` the one that the row must
    still hold; both are null for a run that somebody asked for.
    """

    job_id: UUID
    trigger: CronTrigger
    asked_by: str
    due_at: datetime
    next_run_at: datetime | None = None
    claimed: datetime | None = None


async def begin_cron_run(
    database: Database, run: QueuedRun, begin: Begin, session_limit: int, limit: int
) -> Queued:
    """Moves the job to its next time and puts its run down, in one statement. KEPT when it is
    not due any more, another replica is at it, or a run of it goes on.
    """
    arguments = (
        *queue_arguments(run, session_limit, limit),
        begin.job_id,
        uuid7(),
        begin.trigger,
        begin.asked_by,
        begin.due_at,
    )
    if begin.claimed is None:
        return outcome((await fetch(database.pool, MANUAL, arguments))[0])
    times = (begin.next_run_at, begin.claimed)
    return outcome((await fetch(database.pool, DUE, (*arguments, *times)))[0])


@dataclass(frozen=True, slots=True)
class ToDo:
    """Whether jobs are due, runs have ended, answers are to be delivered."""

    due: bool
    ended: bool
    pending: bool


async def look(database: Database) -> ToDo:
    row = (await fetch(database.pool, LOOK, ()))[0]
    return ToDo(row.due, row.ended, row.pending)


async def due_cron_jobs(db: Db, without: Sequence[UUID]) -> Sequence[CronJob]:
    """Those due for longest, whoever's; nobody holds them yet."""
    due = (
        select(CronJob)
        .where(col(CronJob.next_run_at) <= func.now(), col(CronJob.id).not_in(without))
        .where(col(CronJob.run_id).is_(None) | (col(CronJob.kind) != ScheduleKind.AT))
        .order_by(col(CronJob.next_run_at))
        .limit(BATCH)
    )
    return (await db.exec(due)).all()


async def still_due(db: Db, id: UUID, due_at: datetime) -> CronJob | None:
    """The row, locked until the block ends; None when it is somebody else's, or due no more."""
    mine = select(CronJob).where(col(CronJob.id) == id, col(CronJob.next_run_at) == due_at)
    return (await db.exec(mine.with_for_update(skip_locked=True))).one_or_none()


async def ended_cron_runs(db: Db) -> Sequence[tuple[CronRun, CronJob, Run | None]]:
    """Those whose run has ended or is gone, with their jobs; both locked until the block ends."""
    ended = (
        select(CronRun, CronJob, Run)
        .join(CronJob, col(CronJob.id) == col(CronRun.job_id))
        .outerjoin(Run, col(Run.id) == col(CronRun.run_id))
        .where(
            col(CronRun.status) == CronRunStatus.STARTED,
            col(Run.id).is_(None) | col(Run.status).not_in((RunStatus.QUEUED, RunStatus.RUNNING)),
        )
        .limit(BATCH)
        .with_for_update(of=[CronRun, CronJob], skip_locked=True)
    )
    return (await db.exec(ended)).all()


async def delivery_to_make(db: Db, id: UUID | None = None) -> tuple[CronRun, CronJob] | None:
    """The one that waits for longest, or the one with that id, locked until the block ends."""
    pending = (
        select(CronRun, CronJob)
        .join(CronJob, col(CronJob.id) == col(CronRun.job_id))
        .where(col(CronRun.delivery) == DeliveryStatus.PENDING)
        .order_by(col(CronRun.delivery_at))
        .limit(1)
        .with_for_update(of=CronRun, skip_locked=id is None)
    )
    chosen = col(CronRun.delivery_at) <= func.now() if id is None else col(CronRun.id) == id
    return (await db.exec(pending.where(chosen))).one_or_none()


async def remove_if_over(db: Db, job_id: UUID) -> CronJob | None:
    """A job that was to be deleted after its run, once that ended well and was delivered. Gives
    what went.
    """
    left = exists().where(
        col(CronRun.job_id) == job_id,
        (col(CronRun.status) == CronRunStatus.STARTED)
        | (col(CronRun.delivery).in_((DeliveryStatus.PENDING, DeliveryStatus.FAILED))),
    )
    gone = (
        delete(CronJob)
        .where(
            col(CronJob.id) == job_id,
            col(CronJob.delete_after_run),
            col(CronJob.enabled),
            col(CronJob.next_run_at).is_(None),
            col(CronJob.failures) == 0,
            ~left,
        )
        .returning(CronJob)
    )
    job: CronJob | None = (await db.exec(gone)).scalar_one_or_none()
    return job


async def trim_cron_runs(database: Database) -> None:
    """Throws away what is older than the newest `KEPT` of each job."""
    await fetch(database.pool, TRIM, ())
