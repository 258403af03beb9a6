from collections.abc import Collection, Sequence
from contextlib import suppress
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import select
from sqlmodel import col

from goclaw.core.paging import Page, PageRequest
from goclaw.models.traces import Span, SpanView, Trace, TraceView
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
from goclaw.store.query import Query

FILTERS = ("agent_id", "user_id", "session_id", "session_key", "status", "channel")
MATCHES = tuple(equals_if_given(col(getattr(Trace, name)), name) for name in FILTERS)

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
