"""Cron jobs: an agent is asked something at set times, in the name of whoever made the job."""

from typing import Any
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, InvalidInput
from goclaw.core.ids import uuid7
from goclaw.core.paging import Page, PageRequest
from goclaw.core.schedules import ScheduleKind
from goclaw.models.cron import (
    CronJob,
    CronJobCreate,
    CronJobPatch,
    CronJobView,
    CronRun,
    CronTrigger,
)
from goclaw.models.runs import RunView
from goclaw.models.sealed import SealedColumn
from goclaw.models.shapes import now
from goclaw.resolvers.carrying import acting
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.cron_turns import cron_turn
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import agent_named
from goclaw.store.cron import (
    add_cron_job,
    cron_job_to_change,
    cron_jobs_page,
    cron_runs_page,
    remove_cron_job,
    save_cron_job,
)
from goclaw.store.cron import (
    count_cron_jobs as count_visible_jobs,
)
from goclaw.store.cron import (
    count_cron_runs as count_visible_runs,
)
from goclaw.store.cron_due import Begin

WHEN = {
    ScheduleKind.AT: "run_at",
    ScheduleKind.EVERY: "every_s",
    ScheduleKind.CRON: "expression",
}
"""What says when, by the kind of schedule."""
SCHEDULE = frozenset({"kind", "timezone", *WHEN.values()})


@operation(Scope.READ)
async def get_cron_job(ctx: Context, id: UUID) -> CronJobView:
    """Raises NotFound."""
    return found(await ctx.cron_jobs.load(id), "cron_job", id)


@operation(Scope.READ)
async def list_cron_jobs(
    ctx: Context, page: PageRequest, agent_id: UUID | None = None
) -> Page[CronJobView]:
    return await cron_jobs_page(ctx.reads, page, agent_id)


@operation(Scope.READ)
async def count_cron_jobs(ctx: Context, agent_id: UUID | None = None) -> int:
    return await count_visible_jobs(ctx.reads, agent_id)


@operation(Scope.READ)
async def list_cron_runs(
    ctx: Context, page: PageRequest, job_id: UUID | None = None
) -> Page[CronRun]:
    """What came of the times of one job, or of all; none for a job the caller may not see."""
    return await cron_runs_page(ctx.reads, page, job_id)


@operation(Scope.READ)
async def count_cron_runs(ctx: Context, job_id: UUID | None = None) -> int:
    return await count_visible_runs(ctx.reads, job_id)


@operation(Scope.READ)
async def last_cron_run(ctx: Context, id: UUID) -> CronRun | None:
    """The newest of a job; None when it never ran, or the caller may not see it."""
    return await ctx.last_cron_runs.load(id)


@operation(Scope.WRITE)
async def create_cron_job(ctx: Context, data: CronJobCreate) -> CronJobView:
    """Raises NotFound for an unknown agent, Conflict for one that stores no contents and when the
    user has too many jobs, InvalidInput for a time that is past or an address that may not be
    reached, Unavailable when there is no key to seal a secret with.
    """
    await _check_agent(ctx, data.agent_id)
    job = CronJob(
        **data.model_dump(exclude={"delivery_secret"}),
        id=uuid7(),
        user_id=ctx.user_id,
        key_id=ctx.caller.key_id,
    )
    _set_up(ctx, job, data, changed=data.model_fields_set | SCHEDULE)
    async with ctx.db() as db:
        await add_cron_job(db, job, ctx.services.settings.cron_jobs_per_user)
        ctx.announce(db, "cron_job.created", job, agent_id=job.agent_id, name=job.name)
    return found(await ctx.cron_jobs.load(job.id), "cron_job", job.id)


@operation(Scope.WRITE)
async def update_cron_job(ctx: Context, id: UUID, changes: CronJobPatch) -> CronJobView:
    """Its runs then have the rights of the key that changed it. A change of `enabled` pauses it or
    lets it go on. Raises like `create_cron_job`, and NotFound.
    """
    sent = changes.model_fields_set
    if "agent_id" in sent:
        await _check_agent(ctx, changes.agent_id)
    async with ctx.db() as db:
        job = found(await cron_job_to_change(db, id), "cron_job", id)
        job.sqlmodel_update(changes.model_dump(exclude_unset=True, exclude={"delivery_secret"}))
        job.key_id = ctx.caller.key_id
        _set_up(ctx, job, changes, changed=sent)
        await save_cron_job(db, job)
        ctx.announce(
            db,
            "cron_job.updated",
            job,
            agent_id=job.agent_id,
            name=job.name,
            changed=sorted(sent),
        )
    ctx.cron_jobs.clear(id)
    return found(await ctx.cron_jobs.load(id), "cron_job", id)


@operation(Scope.WRITE)
async def delete_cron_job(ctx: Context, id: UUID) -> UUID:
    """With its history. A run of it that goes on is not stopped. Raises NotFound."""
    async with ctx.db() as db:
        job = found(await cron_job_to_change(db, id), "cron_job", id)
        await remove_cron_job(db, job)
        ctx.announce(db, "cron_job.deleted", job, agent_id=job.agent_id, name=job.name)
    ctx.cron_jobs.clear(id)
    return id


@operation(Scope.WRITE)
async def run_cron_job(ctx: Context, id: UUID) -> RunView:
    """Gives the run at once; also of a paused job, and the times it is due stay as they are.
    Raises NotFound, Conflict while a run of it goes on, and what its agent is refused for.
    """
    async with ctx.db() as db:
        job = found(await cron_job_to_change(db, id), "cron_job", id)
    if job.run_id is not None:
        raise Conflict("cron_job_busy")
    run_id = uuid7()
    owner = await acting(ctx.services, job.user_id, job.key_id, ctx.request_id)
    begin = Begin(id, CronTrigger.MANUAL, ctx.caller.actor, now())
    await ctx.services.job_runs.queue_cron(run_id, await cron_turn(owner, job, run_id), begin)
    async with ctx.db() as db:
        ctx.announce(db, "cron_job.run", job, agent_id=job.agent_id, name=job.name)
    ctx.cron_jobs.clear(id)
    return found(await ctx.runs.load(run_id), "run", run_id)


async def _check_agent(ctx: Context, id: UUID) -> None:
    agent = await agent_named(ctx, id)
    if not agent.store_contents:
        raise Conflict("cron_stores_nothing", key=agent.key)


def _set_up(
    ctx: Context, job: CronJob, sent: CronJobCreate | CronJobPatch, changed: set[str]
) -> None:
    """What follows from what was sent: the times it is due, and what is sealed."""
    if job.isolated and job.session_key is not None:
        raise InvalidInput("cron_isolated_session", field="isolated")
    if changed & SCHEDULE:
        _schedule(job)
    if changed & {"enabled", *SCHEDULE}:
        job.next_run_at = job.next_after(now())
        if job.enabled and job.next_run_at is None:
            raise InvalidInput("cron_run_at_past", field="run_at")
    if "enabled" in changed and job.enabled:
        job.failures, job.pause_reason = 0, None
    if "delivery_url" in changed and job.delivery_url is not None:
        ctx.services.outbound.check_url(job.delivery_url, "delivery_url", whole=True)
    if "delivery_secret" in changed:
        secret = sent.delivery_secret
        text = None if secret is None else secret.get_secret_value()
        seal = ctx.services.vault.seal
        job.delivery_secret = text and seal(text, SealedColumn.CRON_SECRET, job.id)


def _schedule(job: CronJob) -> None:
    """Keeps what goes with the kind. Raises InvalidInput when that is missing, or past."""
    wanted = WHEN[job.kind]
    if getattr(job, wanted) is None:
        raise InvalidInput("required", field=wanted)
    rest: dict[str, Any] = {name: None for name in WHEN.values() if name != wanted}
    job.sqlmodel_update(rest)
    job.anchor = now()
