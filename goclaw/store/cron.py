"""Cron jobs and their history, as their owners read and change them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.errors import Conflict
from goclaw.core.paging import Page, PageRequest
from goclaw.models.cron import CronJob, CronJobView, CronRun
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.pages import (
    Total,
    among_ids,
    count_of,
    equals_if_given,
    fetch_count,
    fetch_page,
    newest_first,
)
from goclaw.store.query import Query

COLUMNS = (
    *(c for c in CronJob.__table__.c if c.name != "delivery_secret"),  # type: ignore[attr-defined]
    col(CronJob.delivery_secret).is_not(None).label("has_delivery_secret"),
)
OF_AGENT = equals_if_given(col(CronJob.agent_id), "agent_id")
OF_JOB = equals_if_given(col(CronRun.job_id), "job_id")

BY_ID = Query[CronJobView](
    lambda visible: select(*COLUMNS).where(visible(CronJob), among_ids(CronJob.id))
)
PAGE = Query[CronJobView](
    lambda visible: newest_first(
        select(*COLUMNS).where(visible(CronJob), OF_AGENT), col(CronJob.id)
    )
)
TOTAL = Query[Total](lambda visible: count_of(CronJob, visible(CronJob), OF_AGENT))
RUNS = Query[CronRun](
    lambda visible: newest_first(select(CronRun).where(visible(CronRun), OF_JOB), col(CronRun.id))
)
RUNS_TOTAL = Query[Total](lambda visible: count_of(CronRun, visible(CronRun), OF_JOB))
LAST = Query[CronRun](
    lambda visible: (
        select(CronRun)
        .where(visible(CronRun), among_ids(CronRun.job_id))
        .ext(distinct_on(col(CronRun.job_id)))
        .order_by(col(CronRun.job_id), col(CronRun.id).desc())
    )
)


async def cron_jobs_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, CronJobView]:
    """Ids the caller may not see are left out."""
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def cron_jobs_page(
    reads: Reads, request: PageRequest, agent_id: UUID | None
) -> Page[CronJobView]:
    return await fetch_page(PAGE, reads, request, agent_id=agent_id)


async def count_cron_jobs(reads: Reads, agent_id: UUID | None) -> int:
    return await fetch_count(TOTAL, reads, agent_id=agent_id)


async def cron_runs_page(reads: Reads, request: PageRequest, job_id: UUID | None) -> Page[CronRun]:
    """Of one job, or of all that the caller may see."""
    return await fetch_page(RUNS, reads, request, job_id=job_id)


async def count_cron_runs(reads: Reads, job_id: UUID | None) -> int:
    return await fetch_count(RUNS_TOTAL, reads, job_id=job_id)


async def last_cron_runs(reads: Reads, ids: Collection[UUID]) -> dict[UUID, CronRun]:
    """The newest of each job that has one."""
    return {row.job_id: row for row in await LAST.fetch(reads, ids=list(ids))}


async def cron_job_to_change(db: Db, id: UUID) -> CronJob | None:
    """The row, locked until the block ends."""
    return (
        await db.exec(db.visible(CronJob).where(col(CronJob.id) == id).with_for_update())
    ).one_or_none()


async def add_cron_job(db: Db, job: CronJob, limit: int) -> CronJob:
    """Raises Conflict when the user has so many already. One is added after the other, so that
    two at once do not make one too many.
    """
    await db.exec(select_one(func.pg_advisory_xact_lock(func.hashtext(f"cron:{job.user_id}"))))
    had = select_one(func.count()).where(col(CronJob.user_id) == job.user_id)
    if (await db.exec(had)).one() >= limit:
        raise Conflict("cron_jobs_full", limit=limit)
    db.add(job)
    await db.flush()
    return job


async def save_cron_job(db: Db, job: CronJob) -> CronJob:
    job.updated_at = now()
    await db.flush()
    return job


async def remove_cron_job(db: Db, job: CronJob) -> None:
    """With its history; what runs wrote stays."""
    await db.delete(job)
    await db.flush()


async def remove_cron_jobs_of(db: Db, agent_id: UUID) -> Sequence[CronJob]:
    """All of an agent, whoever's; gives what went."""
    gone = delete(CronJob).where(col(CronJob.agent_id) == agent_id).returning(CronJob)
    rows: Sequence[CronJob] = (await db.exec(gone)).scalars().all()
    return rows
