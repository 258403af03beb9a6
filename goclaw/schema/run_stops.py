from datetime import datetime
from uuid import UUID

import strawberry

from goclaw.models import run_stops as models
from goclaw.resolvers.run_stops import get_runs_state, resume_runs, stop_all_runs
from goclaw.schema.field import described, field, input_of, mutation, parse
from goclaw.schema.info import Info
from goclaw.schema.words import In

WORDS = {"reason": "What those are told whose runs are refused."}


@strawberry.type(description="A time in which an administrator has stopped all runs.")
class RunStop:
    id: UUID = described("Its id.")
    reason: str | None = described(WORDS["reason"])
    stopped_by: str = described("Who stopped them.")
    stopped_at: datetime = described("Since when.")
    resumed_by: str | None = described("Who let them go on.")
    resumed_at: datetime | None = described("Until when; null while it lasts.")


@strawberry.type(description="Whether runs may begin.")
class RunsState:
    stop: RunStop | None = described("What keeps all runs from beginning; null where they may.")


@input_of(models.StopRuns, WORDS, "Stopping all runs.")
class StopAllRunsInput: ...


@strawberry.input(description="What is to end.")
class ResumeRunsInput:
    stop_id: UUID = described("The id of the stop.")


@strawberry.type
class RunStopQuery:
    @field(RunsState, "Whether runs may begin.")
    async def runs_state(self, info: Info) -> models.RunsState:
        return await get_runs_state(info.context)


@strawberry.type
class RunStopMutation:
    @mutation(RunStop, "Cancels every run and refuses new ones, until `resumeRuns`.")
    async def stop_all_runs(self, info: Info, input: In[StopAllRunsInput]) -> models.RunStop:
        return await stop_all_runs(info.context, parse(models.StopRuns, input))

    @mutation(RunStop, "Lets runs begin again.")
    async def resume_runs(self, info: Info, input: In[ResumeRunsInput]) -> models.RunStop:
        return await resume_runs(info.context, input.stop_id)
