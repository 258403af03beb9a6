"""Trace rows: written in batches, kept while the database is away, bounded."""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.errors import Unavailable
from goclaw.core.ids import uuid7
from goclaw.models.runs import RunStatus
from goclaw.models.shapes import now
from goclaw.models.traces import Span, SpanType, Trace
from goclaw.resolvers.services import Services
from goclaw.runtime import trace_writer
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.store.chat_traces import ChatTrace
from goclaw.store.traces import NewSpan, NewTrace, instant, write_traces


def rows(spans: int = 2) -> tuple[NewTrace, list[NewSpan]]:
    at = instant(now())
    trace = NewTrace(
        id=uuid7(),
        run_id=None,
        agent_id=None,
        user_id="ada",
        session_id=None,
        session_key=None,
        name="x",
        channel="http",
        status=RunStatus.COMPLETED,
        start_time=at,
        end_time=None,
        duration_ms=None,
        input_preview=None,
        output_preview=None,
        total_input_tokens=0,
        total_output_tokens=0,
        total_cost_usd=None,
        span_count=spans,
        llm_call_count=0,
        tool_call_count=0,
        error=None,
        created_at=at,
    )
    return trace, [span_of(trace) for _ in range(spans)]


def record(**other: Any) -> ChatTrace:
    made: Any = {
        "id": uuid7(),
        "parent_trace_id": None,
        "run_id": uuid7(),
        "agent_id": uuid7(),
        "agent_key": "scribe",
        "user_id": "ada",
        "session_id": uuid7(),
        "session_key": "talk",
        "channel": "http",
        "status": RunStatus.COMPLETED,
        "began": now(),
        "took_ms": 5,
        "asked": "?",
        "answered": "!",
        "error": None,
        "span_id": uuid7(),
        "metadata": None,
        "call_id": uuid7(),
        "called_us": 1,
        "model": "gpt-4o",
        "provider": "vendor",
        "input_tokens": 1,
        "output_tokens": 2,
        "cost_usd": None,
        "finish_reason": "stop",
        "first_seq": 1,
        "last_seq": 2,
        "call_metadata": {"a": 1},
    }
    return made | other  # type: ignore[no-any-return]


def span_of(trace: NewTrace) -> NewSpan:
    return NewSpan(
        id=uuid7(),
        trace_id=trace.id,
        agent_id=None,
        span_type=SpanType.LLM_CALL,
        name="x",
        status=RunStatus.COMPLETED,
        start_time=trace.start_time,
        end_time=None,
        duration_ms=None,
        input_preview=None,
        output_preview=None,
        error=None,
        created_at=trace.created_at,
        metadata={"a": 1},
    )


async def count(services: Services, table: str) -> int:
    return int(await services.database.pool.fetchval(f"select count(*) from {table}"))


async def test_rows_that_cannot_be_made_keep_no_others_back(services: Services) -> None:
    def broken() -> ChatTrace:
        raise ValueError("no such figure")

    writer = TraceWriter(services.database)
    for make in (record, broken, record):
        writer.add_later(make)
    await writer.flush()
    assert await count(services, "traces") == 2
    assert (writer.written, writer.dropped) == (6, 1)


@pytest.mark.parametrize(
    "bad",
    [{"asked": "N\0"}, {"asked": "\ud800"}, {"took_ms": 2**40}, {"agent_key": None}],
    ids=["a nul", "half a letter", "too long", "nobody"],
)
async def test_a_record_the_database_refuses_keeps_no_others_back(
    services: Services, bad: dict[str, Any]
) -> None:
    writer = TraceWriter(services.database)
    for number in range(50):
        other = bad if number in (17, 33) else {}
        writer.add_later(partial(record, **other))
        writer.note(span_of(rows()[0]))
    await writer.flush()
    assert (await count(services, "traces"), await count(services, "spans")) == (48, 146)
    assert (writer.written, writer.queued, writer.dropped) == (194, 0, 6)


async def test_a_record_whose_end_nobody_heard_is_written_once(services: Services) -> None:
    told: list[tuple[UUID, Collection[UUID] | None]] = []
    writer = TraceWriter(services.database, lambda id, spans: told.append((id, spans)))
    made = record(), record(call_id=None)
    await write_traces(services.database, (), (), (), made)
    for one in made:
        writer.add_later(one.copy)
    await writer.flush()
    assert (await count(services, "traces"), await count(services, "spans")) == (2, 3)
    assert (writer.queued, writer.dropped) == (0, 0)
    assert told == [(one["id"], None) for one in made]


@pytest.mark.parametrize("bad", [{"name": "N\0"}, {"duration_ms": 2**40}, {"name": 5}])
async def test_what_the_database_refuses_keeps_no_others_back(
    services: Services, bad: dict[str, Any]
) -> None:
    writer = TraceWriter(services.database)
    for number in range(50):
        trace, spans = rows()
        if number in (17, 33):
            trace = trace._replace(**bad)
        writer.add(trace, spans)
    await writer.flush()
    assert (await count(services, "traces"), await count(services, "spans")) == (48, 96)
    assert (writer.written, writer.queued, writer.dropped) == (144, 0, 6)


async def test_a_flush_writes_all_in_batches(services: Services) -> None:
    writer = TraceWriter(services.database)
    for _ in range(1200):
        writer.add(*rows())
    await writer.flush()
    assert await count(services, "traces") == 1200
    assert await count(services, "spans") == 2400
    assert (writer.written, writer.queued, writer.dropped) == (3600, 0, 0)


async def test_rows_wait_for_a_database_that_is_away(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unavailable("database_unavailable", retry_after_s=2)

    writer = TraceWriter(services.database)
    writer.add(*rows())
    with monkeypatch.context() as patch:
        patch.setattr(trace_writer, "write_traces", away)
        await writer.flush()
    assert writer.queued == 3
    await writer.flush()
    assert await count(services, "spans") == 2


async def test_a_batch_whose_end_nobody_heard_is_written_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = write_traces

    async def written_then_lost(*arguments: Any) -> None:
        await real(*arguments)
        raise Unavailable("database_unavailable", retry_after_s=2)

    writer = TraceWriter(services.database)
    writer.add(*rows())
    with monkeypatch.context() as patch:
        patch.setattr(trace_writer, "write_traces", written_then_lost)
        await writer.flush()
    writer.add(*rows())
    await writer.flush()
    assert (await count(services, "spans"), await count(services, "traces")) == (4, 2)
    assert writer.queued == 0


async def test_a_write_that_is_cancelled_is_finished_by_the_next(services: Services) -> None:
    writer = TraceWriter(services.database)
    for _ in range(300):
        writer.add(*rows())
    for _ in range(20):
        task = asyncio.create_task(writer.flush())
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await writer.flush()
    assert (await count(services, "spans"), await count(services, "traces")) == (600, 300)


async def test_a_full_queue_drops_and_counts(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_writer, "MAX_QUEUED", 7)
    writer = TraceWriter(services.database)
    for _ in range(3):
        writer.add(*rows())
    assert (writer.queued, writer.dropped) == (6, 3)


@pytest.mark.parametrize(("row", "table"), [(NewTrace, Trace), (NewSpan, Span)])
def test_rows_follow_their_columns(row: type[NewTrace | NewSpan], table: Any) -> None:
    assert set(row._fields) <= {column.name for column in table.__table__.c}


async def test_times_arrive_as_they_were(services: Services) -> None:
    at = now()
    trace, spans = rows()
    writer = TraceWriter(services.database)
    writer.add(trace._replace(start_time=instant(at)), spans)
    await writer.flush()
    assert await services.database.pool.fetchval("select start_time from traces") == at
