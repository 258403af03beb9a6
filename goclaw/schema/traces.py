from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.paging import page_request
from goclaw.models import traces as models
from goclaw.models.agents import AgentView
from goclaw.models.runs import RunStatus
from goclaw.models.sessions import Message as MessageRow
from goclaw.resolvers.agents import get_agent
from goclaw.resolvers.traces import (
    count_traces,
    get_trace,
    list_child_traces,
    list_costs,
    list_span_messages,
    list_spans,
    list_trace_messages,
    list_traces,
)
from goclaw.schema.agents import Agent
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field
from goclaw.schema.info import Info, or_none
from goclaw.schema.scalars import JSON
from goclaw.schema.sessions import Message, OfAgent
from goclaw.schema.words import Id

OfSession = Annotated[UUID | None, argument("Only those of this session.")]
InStatus = Annotated[RunStatus | None, argument("Only those in this state.")]


@strawberry.type(description="One step of a trace.")
class Span:
    id: UUID = described("Its id.")
    trace_id: strawberry.Private[UUID]
    last_seq: strawberry.Private[int | None]
    parent_span_id: UUID | None = described("The step it is a part of.")
    span_type: models.SpanType = described("What kind of step.")
    name: str = described("What it was: an agent, a model, a tool.")
    status: RunStatus = described("How it ended.")
    start_time: datetime = described("When it began.")
    end_time: datetime | None = described("When it ended.")
    duration_ms: int | None = described("How long it took, in milliseconds.")
    model: str | None = described("The model that was asked.")
    provider: str | None = described("The provider that was asked.")
    input_tokens: int | None = described("Tokens read, cached ones included.")
    output_tokens: int | None = described("Tokens written.")
    cost_usd: Decimal | None = described("Its price in US dollars; null when none is known.")
    finish_reason: str | None = described("Why the model stopped.")
    tool_name: str | None = described("The tool that was called.")
    tool_call_id: str | None = described("The call of that tool.")
    input_preview: str | None = described("How the input begins.")
    output_preview: str | None = described("How the output begins.")
    error: str | None = described("Why it failed.")
    metadata: JSON | None = described("What else is known about it.")

    @field(list[Message], "What it read and wrote, oldest first; the last 200 messages.")
    async def messages(self, info: Info) -> Sequence[MessageRow]:
        trace = await get_trace(info.context, self.trace_id)
        return await list_span_messages(info.context, trace.session_id, self.last_seq)


@strawberry.type(description="What a run did, step by step, with its tokens, cost and time.")
class Trace:
    id: UUID = described("Its id.")
    run_id: UUID | None = described("The run it is of.")
    parent_trace_id: UUID | None = described("The trace this run was started from.")
    agent_id: UUID | None = described("The agent's id.")
    user_id: str = described("Who spoke with the agent.")
    session_id: UUID | None = described("The session's id.")
    session_key: str | None = described("The session's name for programs.")
    name: str = described("What it was.")
    channel: str = described("Where it was asked.")
    status: RunStatus = described("How it ended.")
    start_time: datetime = described("When it began.")
    end_time: datetime | None = described("When it ended.")
    duration_ms: int | None = described("How long it took, in milliseconds.")
    input_preview: str | None = described("How the question begins.")
    output_preview: str | None = described("How the answer begins.")
    total_input_tokens: int = described("Tokens read in all, cached ones included.")
    total_output_tokens: int = described("Tokens written in all.")
    total_cost_usd: Decimal | None = described("Its price in US dollars; null when none is known.")
    span_count: int = described("How many steps it has.")
    llm_call_count: int = described("How often a model was asked.")
    tool_call_count: int = described("How often a tool was called.")
    error: str | None = described("Why it failed.")
    metadata: JSON | None = described("What else is known about it.")
    created_at: datetime = described("When it was written.")

    @field(Agent | None, "The agent; null when it was deleted or is no longer shared.")
    async def agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.agent_id)

    @field(list[Span], "Its steps, in the order they began.")
    async def spans(self, info: Info) -> list[models.SpanView]:
        return await list_spans(info.context, self.id)

    @field("Trace | None", "The trace it hangs below; null for one of its own.")
    async def parent(self, info: Info) -> models.TraceView | None:
        if self.parent_trace_id is None:
            return None
        return await or_none(get_trace(info.context, self.parent_trace_id))

    @field(list["Trace"], "Traces of runs that this one began, in the order they began.")
    async def children(self, info: Info) -> list[models.TraceView]:
        return await list_child_traces(info.context, self.id)

    @field(list[Message], "What was said in the run, oldest first; the last 200 messages.")
    async def messages(self, info: Info) -> Sequence[MessageRow]:
        return await list_trace_messages(info.context, self.id)


@strawberry.type(description="What one agent used.")
class AgentCost:
    agent_id: UUID | None = described("The agent's id.")
    trace_count: int = described("How many traces are counted.")
    input_tokens: float = described("Tokens read in all: a whole number, which may pass 32 bits.")
    output_tokens: float = described(
        "Tokens written in all: a whole number, which may pass 32 bits."
    )
    cost_usd: Decimal = described("The sum of the known prices, in US dollars.")
    unpriced_calls: int = described("Model calls without a known price: no part of `costUsd`.")

    @field(Agent | None, "The agent; null when it was deleted or is no longer shared.")
    async def agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.agent_id)


async def agent_or_none(info: Info, id: UUID | None) -> AgentView | None:
    return None if id is None else await or_none(get_agent(info.context, id))


@strawberry.type
class TraceQuery:
    @field(Connection[Trace], "Traces of the caller's runs, newest first.")
    async def traces(
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        agent_id: OfAgent = None,
        session_id: OfSession = None,
        status: InStatus = None,
        channel: Annotated[str | None, argument("Only those asked there.")] = None,
    ) -> Listed:
        page = await list_traces(
            info.context,
            page_request(first, after),
            agent_id=agent_id,
            session_id=session_id,
            status=status,
            channel=channel,
        )
        return listed(
            page,
            lambda: count_traces(
                info.context,
                agent_id=agent_id,
                session_id=session_id,
                status=status,
                channel=channel,
            ),
        )

    @field(Trace, "One trace; it is there 0.1 s after its run ended.")
    async def trace(self, info: Info, id: Id) -> models.TraceView:
        return await get_trace(info.context, id)

    @field(list[AgentCost], "What each agent used, dearest first.")
    async def costs(
        self,
        info: Info,
        agent_id: OfAgent = None,
        since: Annotated[
            datetime | None, argument("Runs that ended at this instant or later.", name="from")
        ] = None,
        until: Annotated[
            datetime | None, argument("Runs that ended before this instant.", name="to")
        ] = None,
    ) -> Sequence[models.CostRow]:
        return await list_costs(info.context, agent_id, since, until)
