from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.models import usage as models
from goclaw.models.agents import AgentView
from goclaw.models.usage import UsageGroup, UsagePeriod, UsageStep
from goclaw.resolvers import usage as operations
from goclaw.resolvers.usage import get_usage_summary, list_usage, list_usage_shares
from goclaw.schema.agents import Agent
from goclaw.schema.field import argument, described, field
from goclaw.schema.info import Info
from goclaw.schema.sessions import OfAgent
from goclaw.schema.traces import agent_or_none

WIDE = "a whole number, which may pass 32 bits."

From = Annotated[
    datetime | None,
    argument("Runs that ended at this instant or later; else the period says.", name="from"),
]
To = Annotated[datetime | None, argument("Runs that ended before this instant.", name="to")]
Period = Annotated[
    UsagePeriod | None, argument("The span up to now, when `from` is not given; else a day.")
]
OfProvider = Annotated[str | None, argument("Only of the provider with this name.")]
OfModel = Annotated[str | None, argument("Only of this model.")]
InChannel = Annotated[str | None, argument("Only what was asked there.")]


@strawberry.type(
    description="What runs used. A run, its failure, duration and tool calls count for the "
    "provider and model asked last; model calls, tokens and costs for those that were asked."
)
class UsageFigures:
    runs: int = described("How many runs ended.")
    failed_runs: int = described("How many of them failed.")
    users: int = described("How many users there were, each counted once.")
    avg_duration_ms: int | None = described(
        "How long a run took on average, in milliseconds; null without runs."
    )
    model_calls: int = described("How often a model was asked.")
    unpriced_calls: int = described("Model calls without a known price: no part of `costUsd`.")
    tool_calls: int = described("How often a tool was called.")
    input_tokens: float = described(f"Tokens read, cached ones included: {WIDE}")
    output_tokens: float = described(f"Tokens written: {WIDE}")
    cached_tokens: float = described(f"Tokens read from a cache: {WIDE}")
    cache_write_tokens: float = described(f"Tokens written to a cache: {WIDE}")
    reasoning_tokens: float = described(f"Tokens written while thinking: {WIDE}")
    cost_usd: Decimal = described("The sum of the known prices, in US dollars.")


@strawberry.type(description="What runs of one hour or day used.")
class UsagePoint(UsageFigures):
    at: datetime = described("When the hour or day begins, in UTC.")


@strawberry.type(description="What one provider, model, channel or agent has of it.")
class UsageShare(UsageFigures):
    key: str = described("Its name; an agent's id. Empty for a channel that is not known.")
    agent_id: UUID | None = described("The agent's id, where the shares are those of agents.")

    @field(Agent | None, "The agent; null when it was deleted or is no longer shared.")
    async def agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.agent_id)


@strawberry.type(description="A span of time beside the one before it.")
class UsageSummary:
    current: UsageFigures = described("The span up to now.")
    previous: UsageFigures = described(
        "The one before, as long as that; for today the whole of yesterday."
    )


@strawberry.type
class UsageQuery:
    @field(
        list[UsagePoint],
        "What was used, by hour or day, oldest first; those without a run are left out. "
        "10,000 at most.",
    )
    async def usage(  # noqa: PLR0913, PLR0917 - the span, and each filter
        self,
        info: Info,
        since: From = None,
        until: To = None,
        period: Period = None,
        step: Annotated[UsageStep, argument("How long a point is.")] = UsageStep.HOUR,
        agent_id: OfAgent = None,
        provider: OfProvider = None,
        model: OfModel = None,
        channel: InChannel = None,
    ) -> Sequence[models.UsagePoint]:
        return await list_usage(
            info.context, since, until, period, step, agent_id, provider, model, channel
        )

    @field(list[UsageShare], "Who or what used it: the 1,000 with the most tokens, these first.")
    async def usage_shares(  # noqa: PLR0913, PLR0917 - the span, and each filter
        self,
        info: Info,
        since: From = None,
        until: To = None,
        period: Period = None,
        by: Annotated[UsageGroup, argument("What to tell apart.")] = UsageGroup.PROVIDER,
        agent_id: OfAgent = None,
        provider: OfProvider = None,
        model: OfModel = None,
        channel: InChannel = None,
    ) -> Sequence[models.UsageShare]:
        return await list_usage_shares(
            info.context, since, until, period, by, agent_id, provider, model, channel
        )

    @field(UsageSummary, "What was used up to now, beside what was used before.")
    async def usage_summary(
        self,
        info: Info,
        period: Annotated[UsagePeriod, argument("The span up to now.")] = UsagePeriod.DAY,
        agent_id: OfAgent = None,
        provider: OfProvider = None,
        model: OfModel = None,
        channel: InChannel = None,
    ) -> operations.UsageSummary:
        return await get_usage_summary(info.context, period, agent_id, provider, model, channel)
