from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.paging import Page, PageRequest
from goclaw.models.runs import RunStatus
from goclaw.models.sessions import Message
from goclaw.models.traces import CostRow, SpanView, TraceView
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.store.sessions import Tail
from goclaw.store.traces import count_traces as count_matching
from goclaw.store.traces import traces_page
from goclaw.store.usage import costs_by_agent


@operation(Scope.READ)
async def get_trace(ctx: Context, id: UUID) -> TraceView:
    """Raises NotFound, also for up to 0.1 s after its run ended."""
    return found(await ctx.traces.load(id), "trace", id)


@operation(Scope.READ)
async def list_traces(
    ctx: Context,
    page: PageRequest,
    agent_id: UUID | None = None,
    user_id: str | None = None,
    session_id: UUID | None = None,
    session_key: str | None = None,
    status: RunStatus | None = None,
    channel: str | None = None,
) -> Page[TraceView]:
    return await traces_page(
        ctx.reads,
        page,
        agent_id=agent_id,
        user_id=user_id,
        session_id=session_id,
        session_key=session_key,
        status=status,
        channel=channel,
    )


@operation(Scope.READ)
async def count_traces(
    ctx: Context,
    agent_id: UUID | None = None,
    user_id: str | None = None,
    session_id: UUID | None = None,
    session_key: str | None = None,
    status: RunStatus | None = None,
    channel: str | None = None,
) -> int:
    return await count_matching(
        ctx.reads,
        agent_id=agent_id,
        user_id=user_id,
        session_id=session_id,
        session_key=session_key,
        status=status,
        channel=channel,
    )


@operation(Scope.READ)
async def list_child_traces(ctx: Context, id: UUID) -> list[TraceView]:
    """Of runs that the trace's run began, in the order they began."""
    return await ctx.child_traces.load(id) or []


@operation(Scope.READ)
async def list_spans(ctx: Context, trace_id: UUID) -> list[SpanView]:
    """In the order they began; none for a trace the caller may not see."""
    return await ctx.spans.load(trace_id) or []


@operation(Scope.READ)
async def list_span_messages(
    ctx: Context, session_id: UUID | None, last_seq: int | None
) -> Sequence[Message]:
    """What a step read and wrote: the last 200 messages up to `last_seq`, oldest first."""
    if session_id is None or last_seq is None:
        return []
    return await ctx.tails.load(Tail(session_id, last_seq))


@operation(Scope.READ)
async def list_trace_messages(ctx: Context, id: UUID) -> Sequence[Message]:
    """What the trace's run read and wrote, oldest first. Raises NotFound."""
    trace = found(await ctx.traces.load(id), "trace", id)
    run = None if trace.run_id is None else await ctx.runs.load(trace.run_id)
    if run is None or run.session_id is None:
        return []
    return await ctx.tails.load(Tail(run.session_id, run.last_seq))


@operation(Scope.READ)
async def list_costs(
    ctx: Context,
    agent_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[CostRow]:
    """One row for each agent, dearest first: of the caller's own runs, and of all runs of agents
    the caller owns. A run counts when it has ended; `since` is included, `until` is not. Runs are
    what is counted, so that the figures stay when traces are deleted.
    """
    return await costs_by_agent(ctx.reads, agent_id, since, until)
