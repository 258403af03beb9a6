"""What tools do with cron jobs: what the user of their run could, with that agent alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from goclaw.core.callers import Caller
from goclaw.core.paging import PageRequest
from goclaw.models.cron import CronJobCreate, CronJobPatch, CronJobView, CronRun
from goclaw.models.parsing import parse_shape
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.conversations import SCOPES
from goclaw.resolvers.cron import (
    create_cron_job,
    delete_cron_job,
    get_cron_job,
    list_cron_jobs,
    list_cron_runs,
    run_cron_job,
    update_cron_job,
)
from goclaw.resolvers.services import Services
from goclaw.tools.cron import Json
from goclaw.tools.tool import ToolContext

NAMES: Final = {"run_at": "at", "expression": "cron"}
"""What the model calls fields of a job."""
MOST: Final = 100
TOLD_RUNS: Final = 20
TOLD: Final = (
    "id",
    "name",
    "message",
    "kind",
    "run_at",
    "every_s",
    "expression",
    "timezone",
    "session_key",
    "isolated",
    "enabled",
    "delete_after_run",
    "next_run_at",
    "last_run_at",
    "pause_reason",
)
TOLD_OF_RUNS: Final = (
    "run_id",
    "trigger",
    "status",
    "due_at",
    "started_at",
    "ended_at",
    "error_message",
)


@dataclass
class OwnCalendar:
    """`services` are given once they are all there, as tools are among them."""

    services: Services | None = None

    async def as_user(self, ctx: ToolContext) -> Context:
        """As a key would be that is bound to the user and the agent. What the run's own key may
        not do any more, jobs that it made do not either. Raises NotFound for no run at all.
        """
        assert self.services is not None
        run = found(await self.services.job_runs.find(ctx.run_id), "run", ctx.run_id)
        caller = Caller(SCOPES, ctx.user_id, run.key_id, agent_ids=frozenset({ctx.agent_id}))
        return Context(self.services, caller, str(ctx.run_id))

    async def jobs(self, ctx: ToolContext) -> list[Json]:
        user = await self.as_user(ctx)
        page = await list_cron_jobs(user, PageRequest(limit=MOST), ctx.agent_id)
        return [_told(row) for row in page.rows]

    async def add(self, ctx: ToolContext, values: Mapping[str, object]) -> Json:
        sent = {**values, "agent_id": ctx.agent_id}
        data = parse_shape(CronJobCreate, sent, rename=NAMES)
        return _told(await create_cron_job(await self.as_user(ctx), data))

    async def update(self, ctx: ToolContext, id: UUID, values: Mapping[str, object]) -> Json:
        changes = parse_shape(CronJobPatch, dict(values), rename=NAMES)
        return _told(await update_cron_job(await self.as_user(ctx), id, changes))

    async def remove(self, ctx: ToolContext, id: UUID) -> None:
        await delete_cron_job(await self.as_user(ctx), id)

    async def run(self, ctx: ToolContext, id: UUID) -> UUID:
        return (await run_cron_job(await self.as_user(ctx), id)).id

    async def runs(self, ctx: ToolContext, id: UUID) -> list[Json]:
        user = await self.as_user(ctx)
        job = await get_cron_job(user, id)
        page = await list_cron_runs(user, PageRequest(limit=TOLD_RUNS), job.id)
        return [_told_of_run(row) for row in page.rows]


def _told(job: CronJobView) -> Json:
    return _given({NAMES.get(name, name): getattr(job, name) for name in TOLD})


def _told_of_run(run: CronRun) -> Json:
    return _given({name: getattr(run, name) for name in TOLD_OF_RUNS})


def _given(values: Json) -> Json:
    """As JSON; the driver's own UUIDs cannot be written."""
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in values.items()
        if value is not None
    }
