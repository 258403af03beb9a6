from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.paging import page_request
from goclaw.core.schedules import ScheduleKind
from goclaw.models import cron as models
from goclaw.models.agents import AgentView
from goclaw.models.runs import RunView
from goclaw.resolvers.cron import (
    count_cron_jobs,
    count_cron_runs,
    create_cron_job,
    delete_cron_job,
    get_cron_job,
    last_cron_run,
    list_cron_jobs,
    list_cron_runs,
    run_cron_job,
    update_cron_job,
)
from goclaw.resolvers.runs import get_run
from goclaw.schema.agents import Agent
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field, input_of, mutation, parse
from goclaw.schema.info import Info, or_none
from goclaw.schema.runs import Run
from goclaw.schema.sessions import OfAgent
from goclaw.schema.traces import agent_or_none
from goclaw.schema.words import Deleted, Gone, Id, In

WORDS = {
    "name": "The name shown to people.",
    "agent_id": "The agent that is asked.",
    "message": "What it is asked.",
    "kind": "What its times are told by.",
    "run_at": "The instant, for the kind AT.",
    "every_s": "Seconds from one time to the next, for the kind EVERY: 60 at least.",
    "expression": "Minute, hour, day, month and weekday, for the kind CRON.",
    "timezone": "The IANA time zone that `expression` is read in.",
    "session_key": "The session it speaks in, by its key; null is one of its own.",
    "isolated": "Whether it speaks in a new session each time.",
    "enabled": "Whether it runs when it is due; false pauses it.",
    "grace_s": "For how many seconds after it was due it may still begin, where no server was "
    "there in time.",
    "delete_after_run": "Whether it is deleted once its last run ended well and was delivered.",
    "delivery_url": "Where the answer is posted to; null is nowhere.",
    "delivery_secret": "What posts are signed with (HMAC-SHA256), 16 to 200 characters; it is not "
    "shown again.",
}


@strawberry.type(description="One time that a cron job was due, or was asked for.")
class CronRun:
    id: UUID = described("Its id.")
    job_id: UUID = described("The job.")
    run_id: UUID | None = described("The run's id; null where none began.")
    trigger: models.CronTrigger = described("What made it run.")
    asked_by: str = described("In whose name, or at whose request.")
    status: models.CronRunStatus = described("What came of it.")
    due_at: datetime = described("When it was due.")
    started_at: datetime = described("When it was put down to run.")
    ended_at: datetime | None = described("When it was over.")
    error_code: str | None = described("Why it failed or was skipped, as a code.")
    error_message: str | None = described("Why it failed or was skipped, in words.")
    delivery: models.DeliveryStatus | None = described(
        "Whether the answer was posted; null where it is not to be."
    )
    delivery_attempts: int = described("How often that was tried.")
    delivery_at: datetime | None = described("When it is tried next.")
    delivery_http_status: int | None = described("What the address answered last.")
    delivery_error: str | None = described("Why it was not posted, in words.")

    @field(Run | None, "The run; null where none began, or it is no longer kept.")
    async def run(self, info: Info) -> RunView | None:
        if self.run_id is None:
            return None
        return await or_none(get_run(info.context, self.run_id))


@strawberry.type(description="An agent that is asked something at set times.")
class CronJob:
    id: UUID = described("Its id.")
    agent_id: UUID = described(WORDS["agent_id"])
    user_id: str = described("In whose name it runs.")
    name: str = described(WORDS["name"])
    message: str = described(WORDS["message"])
    kind: ScheduleKind = described(WORDS["kind"])
    run_at: datetime | None = described(WORDS["run_at"])
    every_s: int | None = described(WORDS["every_s"])
    expression: str | None = described(WORDS["expression"])
    timezone: str = described(WORDS["timezone"])
    session_key: str | None = described(WORDS["session_key"])
    isolated: bool = described(WORDS["isolated"])
    enabled: bool = described(WORDS["enabled"])
    grace_s: int = described(WORDS["grace_s"])
    delete_after_run: bool = described(WORDS["delete_after_run"])
    delivery_url: str | None = described(WORDS["delivery_url"])
    has_delivery_secret: bool = described("Whether posts are signed.")
    next_run_at: datetime | None = described("When it is due next; null when it is not.")
    last_run_at: datetime | None = described("When a run of it was last begun.")
    run_id: UUID | None = described("The run of it that goes on.")
    failures: int = described("Failures in a row; after 5 the server pauses it.")
    pause_reason: str | None = described("Why the server paused it; null where it did not.")
    created_at: datetime = described("When it was made.")
    updated_at: datetime = described("When it was changed last.")

    @field(Agent | None, "The agent; null when it is no longer shared.")
    async def agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.agent_id)

    @field(CronRun | None, "Its last time; null before the first.")
    async def last_run(self, info: Info) -> models.CronRun | None:
        return await last_cron_run(info.context, self.id)


@input_of(models.CronJobCreate, WORDS, "A new cron job.")
class CreateCronJobInput: ...


@input_of(
    models.CronJobPatch,
    WORDS,
    "Changes to a cron job: what is absent stays, null clears.",
)
class UpdateCronJobInput:
    id: UUID = described("The job to change.")


@strawberry.input(description="The cron job to delete.")
class DeleteCronJobInput:
    id: UUID = described("Its id.")


@strawberry.input(description="The cron job to run now.")
class RunCronJobInput:
    id: UUID = described("Its id.")


OfJob = Annotated[UUID | None, argument("Only of this job.")]


@strawberry.type
class CronQuery:
    @field(CronJob, "One cron job of the caller.")
    async def cron_job(self, info: Info, id: Id) -> models.CronJobView:
        return await get_cron_job(info.context, id)

    @field(Connection[CronJob], "Cron jobs of the caller, newest first.")
    async def cron_jobs(
        self,
        info: Info,
        agent_id: OfAgent = None,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> Listed:
        page = await list_cron_jobs(info.context, page_request(first, after), agent_id)
        return listed(page, lambda: count_cron_jobs(info.context, agent_id))

    @field(Connection[CronRun], "What came of cron jobs of the caller, newest first.")
    async def cron_runs(
        self,
        info: Info,
        job_id: OfJob = None,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> Listed:
        page = await list_cron_runs(info.context, page_request(first, after), job_id)
        return listed(page, lambda: count_cron_runs(info.context, job_id))


@strawberry.type
class CronMutation:
    @mutation(CronJob, "Has an agent asked something at set times.")
    async def create_cron_job(
        self, info: Info, input: In[CreateCronJobInput]
    ) -> models.CronJobView:
        return await create_cron_job(info.context, parse(models.CronJobCreate, input))

    @mutation(CronJob, "Changes a cron job, pauses it or lets it go on.")
    async def update_cron_job(
        self, info: Info, input: In[UpdateCronJobInput]
    ) -> models.CronJobView:
        changes = parse(models.CronJobPatch, input)
        return await update_cron_job(info.context, input.id, changes)

    @mutation(Deleted, "Deletes a cron job with its history; what its runs said stays.")
    async def delete_cron_job(self, info: Info, input: In[DeleteCronJobInput]) -> Gone:
        return Gone(await delete_cron_job(info.context, input.id))

    @mutation(Run, "Runs a cron job now, besides the times it is due.")
    async def run_cron_job(self, info: Info, input: In[RunCronJobInput]) -> RunView:
        return await run_cron_job(info.context, input.id)
