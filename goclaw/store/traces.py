from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import ColumnElement, DateTime, Select, bindparam, func, or_, select
from sqlmodel import col

from goclaw.core.paging import Page, PageRequest
from goclaw.models.agents import Agent
from goclaw.models.traces import CostRow, Span, SpanView, Trace, TraceView
from goclaw.store.database import Database, Reads, unavailable_when_away
from goclaw.store.pages import (
    Total,
    among_ids,
    count_of,
    equals_if_given,
    fetch_count,
    fetch_page,
    newest_first,
)
from goclaw.store.query import CALLER, Query, Visible

FILTERS = ("agent_id", "user_id", "session_id", "session_key", "status", "channel")
MATCHES = tuple(equals_if_given(col(getattr(Trace, name)), name) for name in FILTERS)
INSTANT = DateTime(timezone=True)

TRACE_COLUMNS = tuple(column.name for column in Trace.__table__.c)  # type: ignore[attr-defined]
SPAN_COLUMNS = tuple(column.name for column in Span.__table__.c)  # type: ignore[attr-defined]

BY_ID = Query[TraceView](lambda visible: select(Trace).where(visible(Trace), among_ids(Trace.id)))
PAGE = Query[TraceView](
    lambda visible: newest_first(select(Trace).where(visible(Trace), *MATCHES), col(Trace.id))
)
TOTAL = Query[Total](lambda visible: count_of(Trace, visible(Trace), *MATCHES))
SPANS = Query[SpanView](
    lambda visible: (
        select(Span)
        .where(visible(Span), among_ids(Span.trace_id))
        .order_by(col(Span.start_time), col(Span.id))
    )
)


def _since_if_given() -> ColumnElement[bool]:
    since = bindparam("since", type_=INSTANT)
    return or_(since.is_(None), col(Trace.created_at) >= since)


def _until_if_given() -> ColumnElement[bool]:
    until = bindparam("until", type_=INSTANT)
    return or_(until.is_(None), col(Trace.created_at) < until)


def _of_own_agent() -> ColumnElement[bool]:
    """Also what others cost: an agent's owner sees its totals, never their contents."""
    own = select(col(Agent.id)).where(col(Agent.owner_id) == bindparam(CALLER))
    return col(Trace.agent_id).in_(own)


def _costs(visible: Visible) -> Select[Any]:
    cost = func.coalesce(func.sum(Trace.total_cost_usd), 0)
    columns: tuple[Any, ...] = (
        col(Trace.agent_id),
        cost.label("cost_usd"),
        func.sum(Trace.total_input_tokens).label("input_tokens"),
        func.sum(Trace.total_output_tokens).label("output_tokens"),
        func.count().label("trace_count"),
    )
    conditions = (
        or_(visible(Trace), _of_own_agent()),
        col(Trace.parent_trace_id).is_(None),
        equals_if_given(col(Trace.agent_id), "agent_id"),
        _since_if_given(),
        _until_if_given(),
    )
    grouped = select(*columns).where(*conditions).group_by(col(Trace.agent_id))
    return grouped.order_by(cost.desc(), col(Trace.agent_id))


COSTS = Query[CostRow](_costs)


async def traces_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, TraceView]:
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def traces_page(reads: Reads, request: PageRequest, **filters: object) -> Page[TraceView]:
    """`filters` are the names in `FILTERS`; None leaves one out."""
    return await fetch_page(PAGE, reads, request, **filters)


async def count_traces(reads: Reads, **filters: object) -> int:
    return await fetch_count(TOTAL, reads, **filters)


async def spans_by_trace(reads: Reads, ids: Collection[UUID]) -> dict[UUID, list[SpanView]]:
    """In the order they began."""
    spans: dict[UUID, list[SpanView]] = {id: [] for id in ids}
    for row in await SPANS.fetch(reads, ids=list(ids)):
        spans[row.trace_id].append(row)
    return spans


async def costs_by_agent(
    reads: Reads, agent_id: UUID | None, since: datetime | None, until: datetime | None
) -> Sequence[CostRow]:
    """Root traces alone, dearest first; `since` is included, `until` is not."""
    return await COSTS.fetch(reads, agent_id=agent_id, since=since, until=until)


async def copy_rows(
    database: Database, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Many trace or span rows in one COPY, whose commit waits for no disk: a crash of the
    database may lose the last ones. Rows that are there already were written by an attempt
    of which nobody heard the end: all of them, as a COPY writes all or none.
    """
    with unavailable_when_away(), suppress(UniqueViolationError):
        async with database.pool.acquire(timeout=5) as connection, connection.transaction():
            await connection.execute("set local synchronous_commit = off")
            await connection.copy_records_to_table(table, records=rows, columns=columns)
