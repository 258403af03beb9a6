"""Traces and spans on their way to the database, with the writer of the worker."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, process_time
from typing import Final, cast
from uuid import UUID, uuid4

from bench.chat import cpu_at_once
from bench.machine import under_test
from bench.report import Row, at_least, at_most
from bench.rounds import Measure, Measured, alternate
from bench.scene import PEER_KEY, Scene, chat_request
from goclaw.core.ids import uuid7
from goclaw.models.providers import ProviderType
from goclaw.models.runs import RunStatus
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import ModelMessage, ModelRequest, Reply, Usage
from goclaw.runtime.accounts import Outcome
from goclaw.runtime.live import LiveRun, Turn
from goclaw.runtime.trace_writer import MAX_QUEUED, TraceWriter
from goclaw.security.scrub import Scrubber
from goclaw.store.chat_traces import ChatTrace
from goclaw.store.database import open_database
from goclaw.store.targets import Target

RUNS: Final = 20_000
ENOUGH_QUEUED: Final = MAX_QUEUED // 10
CHAT_CALLS: Final = 2_000


class NoClient:
    """A provider whose prices are the published ones."""

    def price_of(self, model: str) -> None:
        return None


class SomeAgent:
    id = uuid4()
    key = "agent-0"
    store_contents = True


def ended_run() -> Outcome:
    """A chat call as the runtime hands it over."""
    asked = ModelMessage("user", "Opening hours?")
    turn = Turn(
        agent=cast("Target", SomeAgent()),
        provider_type=ProviderType.OPENAI_COMPAT,
        provider_name="vendor",
        client=cast("ModelClient", NoClient()),
        request=ModelRequest(model="bench-1", messages=[asked]),
        new=(asked,),
        before=b"",
        session_id=None,
        continues=False,
        session_key="bench",
        user_id="bench",
        key_id=None,
        channel="http",
    )
    run = LiveRun(
        uuid7(), uuid7(), turn, uuid7(), "bench", datetime.now(UTC), first_seq=1, last_seq=1
    )
    run.reply = Reply("We open at nine. " * 12, finish_reason="stop", usage=Usage(12, 50))
    return Outcome(run, RunStatus.COMPLETED, None, Scrubber())


def another(outcome: Outcome, id: UUID) -> ChatTrace:
    """A run has the id of its trace from its beginning."""
    trace = outcome.chat_trace()
    trace["id"] = id
    return trace


async def write(writer: TraceWriter, outcome: Outcome, runs: int) -> Measured:
    """One trace and two spans a run, from the run's figures to the committed rows."""
    rows, ids = 3 * runs, [uuid7() for _ in range(runs)]
    before, began, cpu = writer.written, perf_counter(), process_time()
    for id in ids:
        writer.add_later(partial(another, outcome, id))
        while writer.queued > ENOUGH_QUEUED:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)
    async with asyncio.timeout(60):
        while writer.written - before < rows:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert writer.dropped == 0
    return {
        "cpu": (process_time() - cpu) / runs * 1e6,
        "rows": rows / (perf_counter() - began),
    }


async def measure_traces(scene: Scene) -> Sequence[Row]:
    await scene.gateway()  # it has made the tables
    bare = scene.bare("bare")
    database = await open_database(scene.dsn, 3, statement_cache=True)
    writer = TraceWriter(database)
    running = asyncio.create_task(writer.run())
    runs, calls = scene.effort.some(RUNS), scene.effort.some(CHAT_CALLS)

    async def writing() -> Measured:
        with under_test():
            return await write(writer, ended_run(), runs)

    variants: dict[str, Measure] = {
        "bare": partial(cpu_at_once, bare, chat_request(PEER_KEY), calls),
        "writer": writing,
    }
    samples = await alternate(variants, scene.effort.rounds)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await database.close()
    ours, theirs = samples.median("writer", "cpu"), samples.median("bare", "cpu")
    return [
        at_least(
            "spans written a second (a trace's own row is its root span)",
            samples.median("writer", "rows"),
            50_000,
            unit="/s",
            details="those of chat calls: one trace, two spans within it",
        ),
        at_most(
            "trace and two spans of a chat call, CPU / bare chat call",
            ours / theirs * 100,
            10,
            unit="%",
            details=f"{ours:.1f} / {theirs:.0f} us, making the rows included",
        ),
    ]
