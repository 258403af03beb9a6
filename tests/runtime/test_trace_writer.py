"""Trace rows: written in batches, kept while the database is away, bounded."""

import asyncio
from typing import Any

import pytest

from goclaw.core.errors import Unavailable
from goclaw.core.ids import uuid7
from goclaw.models.shapes import now
from goclaw.resolvers.services import Services
from goclaw.runtime import trace_writer
from goclaw.runtime.accounts import span_row, trace_row
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.store.traces import SPAN_COLUMNS, TRACE_COLUMNS, copy_rows


def rows(spans: int = 2) -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
    trace_id, at = uuid7(), now()
    shared: dict[str, object] = {
        "name": "x",
        "status": "completed",
        "start_time": at,
        "created_at": at,
    }
    trace = shared | {"id": trace_id, "user_id": "ada", "channel": "http", "span_count": spans}
    trace |= dict.fromkeys(
        ("total_input_tokens", "total_output_tokens", "llm_call_count", "tool_call_count"), 0
    )
    span = shared | {"trace_id": trace_id, "span_type": "llm_call", "metadata": {"a": 1}}
    made = [span_row(span | {"id": uuid7()}) for _ in range(spans)]
    return trace_row(trace), made


async def count(services: Services, table: str) -> int:
    return int(await services.database.pool.fetchval(f"select count(*) from {table}"))


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
        patch.setattr(trace_writer, "copy_rows", away)
        await writer.flush()
    assert writer.queued == 3
    await writer.flush()
    assert await count(services, "spans") == 2


async def test_a_batch_whose_end_nobody_heard_is_written_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copy_rows

    async def written_then_lost(*arguments: Any) -> None:
        await real(*arguments)
        raise Unavailable("database_unavailable", retry_after_s=2)

    writer = TraceWriter(services.database)
    writer.add(*rows())
    with monkeypatch.context() as patch:
        patch.setattr(trace_writer, "copy_rows", written_then_lost)
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


def test_rows_follow_their_columns() -> None:
    trace, spans = rows()
    assert trace[TRACE_COLUMNS.index("user_id")] == "ada"
    assert all(len(span) == len(SPAN_COLUMNS) for span in spans)
