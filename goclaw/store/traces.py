from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlmodel import col

from goclaw.core.paging import Page, PageRequest
from goclaw.models.runs import RunStatus
from goclaw.models.traces import Span, SpanType, SpanView, Trace, TraceView
from goclaw.store.away import unavailable_when_away
from goclaw.store.chat_traces import UNFOLD, ChatTrace, in_one
from goclaw.store.connections import ACQUIRE_TIMEOUT_S
from goclaw.store.database import Database, Reads, fetch
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

LEFT_S: Final = 10
"""How long a worker may take to write that a trace has ended."""

FILTERS = ("agent_id", "user_id", "session_id", "session_key", "status", "channel")
MATCHES = tuple(equals_if_given(col(getattr(Trace, name)), name) for name in FILTERS)


EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def instant(at: datetime) -> int:
    """Microseconds since 2000, as COPY takes them (`set_copy_codecs`)."""
    return (at - EPOCH) // MICROSECOND


class NewTrace(NamedTuple):
    """Columns as they are written, so that a row needs no further form for COPY. Times are
    instants.
    """

    id: UUID
    run_id: UUID | None
    agent_id: UUID | None
    user_id: str
    session_id: UUID | None
    session_key: str | None
    name: str
    channel: str
    status: RunStatus
    start_time: int
    end_time: int | None
    duration_ms: int | None
    input_preview: str | None
    output_preview: str | None
    total_input_tokens: int
    total_output_tokens: int
    total_cost_usd: Decimal | None
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error: str | None
    created_at: int
    parent_trace_id: UUID | None = None


class NewSpan(NamedTuple):
    """As `NewTrace`."""

    id: UUID
    trace_id: UUID
    agent_id: UUID | None
    span_type: SpanType
    name: str
    status: RunStatus
    start_time: int
    end_time: int | None
    duration_ms: int | None
    input_preview: str | None
    output_preview: str | None
    error: str | None
    created_at: int
    parent_span_id: UUID | None = None
    model: str | None = None
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None
    finish_reason: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    first_seq: int | None = None
    last_seq: int | None = None
    metadata: dict[str, Any] | None = None


BY_ID = Query[TraceView](lambda visible: select(Trace).where(visible(Trace), among_ids(Trace.id)))
PAGE = Query[TraceView](
    lambda visible: newest_first(select(Trace).where(visible(Trace), *MATCHES), col(Trace.id))
)
TOTAL = Query[Total](lambda visible: count_of(Trace, visible(Trace), *MATCHES))
CHILDREN = Query[TraceView](
    lambda visible: (
        select(Trace)
        .where(visible(Trace), among_ids(Trace.parent_trace_id))
        .order_by(col(Trace.start_time), col(Trace.id))
    )
)
SPANS = Query[SpanView](
    lambda visible: (
        select(Span)
        .where(visible(Span), among_ids(Span.trace_id))
        .order_by(col(Span.start_time), col(Span.id))
    )
)


async def traces_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, TraceView]:
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def traces_page(reads: Reads, request: PageRequest, **filters: object) -> Page[TraceView]:
    """`filters` are the names in `FILTERS`; None leaves one out."""
    return await fetch_page(PAGE, reads, request, **filters)


async def count_traces(reads: Reads, **filters: object) -> int:
    return await fetch_count(TOTAL, reads, **filters)


async def traces_by_parent(reads: Reads, ids: Collection[UUID]) -> dict[UUID, list[TraceView]]:
    """In the order they began."""
    children: dict[UUID, list[TraceView]] = {id: [] for id in ids}
    for row in await CHILDREN.fetch(reads, ids=list(ids)):
        assert row.parent_trace_id is not None
        children[row.parent_trace_id].append(row)
    return children


async def spans_by_trace(reads: Reads, ids: Collection[UUID]) -> dict[UUID, list[SpanView]]:
    """In the order they began."""
    spans: dict[UUID, list[SpanView]] = {id: [] for id in ids}
    for row in await SPANS.fetch(reads, ids=list(ids)):
        spans[row.trace_id].append(row)
    return spans


class Refused(Exception):
    """The database takes no such rows, today or tomorrow."""


NOT_TAKEN: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    TypeError,
    ValueError,
    OverflowError,
)


async def write_traces(
    database: Database,
    traces: Sequence[NewTrace],
    spans: Sequence[NewSpan],
    replaced: Sequence[UUID] = (),
    chats: Sequence[ChatTrace] = (),
) -> None:
    """Many at once, in a transaction whose commit waits for no disk: a crash of the database may
    lose the last ones. `replaced` are ids of traces and spans that may be there as they were
    while their run went on. Others that are there already were written by an attempt of which
    nobody heard the end: all of them, as a transaction writes all or none.

    Raises Refused, and Unavailable when the database is away.
    """
    try:
        with unavailable_when_away(), suppress(asyncpg.UniqueViolationError):
            await _write(database, traces, spans, replaced, chats)
    except NOT_TAKEN as error:
        raise Refused(type(error).__name__) from None  # others' words would quote the rows


async def _write(
    database: Database,
    traces: Sequence[NewTrace],
    spans: Sequence[NewSpan],
    replaced: Sequence[UUID],
    chats: Sequence[ChatTrace],
) -> None:
    async with (
        database.copies.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection,
        connection.transaction(),
    ):
        await connection.execute("set local synchronous_commit = off")
        if replaced:
            await connection.execute("delete from traces where id = any($1)", replaced)
            await connection.execute("delete from spans where id = any($1)", replaced)
        if chats:
            await connection.execute(UNFOLD, in_one(chats))
        copy = connection.copy_records_to_table
        if traces:
            await copy("traces", records=traces, columns=NewTrace._fields)
        if spans:
            await copy("spans", records=spans, columns=NewSpan._fields)


LEFT: Final = f"""
with edge as (
    select now() - interval '{LEFT_S} seconds' as until
), ended as (
    select runs.id, runs.status, runs.error_code, trace_id, ended_at, input_tokens, output_tokens,
        cost_usd
    from edge, runs join traces on traces.id = trace_id and traces.status = 'running'
    where ended_at >= coalesce($1, now() - interval '1 day') and ended_at < edge.until
), trace as (
    update traces set status = ended.status, end_time = ended_at, error = ended.error_code,
        duration_ms = extract(epoch from ended_at - start_time) * 1000,
        total_input_tokens = input_tokens, total_output_tokens = output_tokens,
        total_cost_usd = cost_usd, span_count = counted.spans,
        llm_call_count = counted.model_calls, tool_call_count = counted.tool_calls
    from ended, lateral (
        select count(*) as spans, count(*) filter (where span_type = 'llm_call') as model_calls,
            count(*) filter (where span_type = 'tool_call') as tool_calls
        from spans where spans.trace_id = ended.trace_id
    ) as counted
    where traces.id = ended.trace_id and traces.status = 'running'
    returning traces.id
), span as (
    update spans set status = ended.status, end_time = ended_at, error = ended.error_code,
        duration_ms = extract(epoch from ended_at - start_time) * 1000
    from ended where spans.trace_id = ended.trace_id and spans.status = 'running'
)
select until, array(select id from trace) as ids from edge
"""


async def end_left_traces(
    database: Database, since: datetime | None
) -> tuple[datetime, list[UUID]]:
    """Ends the traces of runs that ended since then, and whose worker died before it wrote that
    down. Tells up to when it looked, and which ones nobody else ended; None looks a day back.
    """
    row = (await fetch(database.pool, LEFT, (since,)))[0]
    return row.until, row.ids
