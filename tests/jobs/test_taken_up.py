"""A worker dies or stops in the middle of a run: another carries it on, where that is safe."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.ids import uuid7
from goclaw.models.agents import AgentView
from goclaw.models.chat import Wake
from goclaw.models.run_events import RunEnded, RunText, RunToolResult
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import cancel_run
from goclaw.resolvers.traces import get_trace
from goclaw.resolvers.wakes import start_wake
from goclaw.runtime.history import UNKNOWN
from tests.jobs.conftest import WORD, Serve, Sql, until_asked, until_status
from tests.runtime.acting import Bench, every_agent_has
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream
from tests.upstream.script import Script, Usage, call

ANSWERS = "select role, content from messages where run_id = $1 order by seq"
KINDS = "select kind from events where topic = 'run:' || $1::uuid order by xid, id"
RESULTS = "select is_error from messages where run_id = $1 and tool_call_id = $2"
SPANS = "select span_type, status from spans where trace_id = $1"
RUNS = 40
SILENT = "update runs set heartbeat_at = now() - interval '1 minute' where id = $1"


async def begun(server: RunningServer, agent: AgentView, upstream: ScriptedUpstream) -> UUID:
    """A wake whose model has said something and goes on."""
    run = await start_wake(context(server.services), agent.id, Wake(message="Wake up."))
    await until_asked(upstream)
    async with asyncio.timeout(10):
        while not any(live.pieces for live in server.services.runner.live.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return run.id


async def die(server: RunningServer, run_id: UUID, sql: Sql) -> Any:
    """As far as others can tell: it takes no more jobs, and speaks no more of this run."""
    live = server.services.runner.live.pop(run_id)
    assert server.app._jobs is not None
    server.app._jobs.cancel()
    await asyncio.wait([server.app._jobs])
    await sql(SILENT, run_id)
    return live


async def test_a_run_whose_worker_died_is_carried_on(
    server: RunningServer, serve: Serve, agent: AgentView, upstream: ScriptedUpstream, sql: Sql
) -> None:
    upstream.reply(WORD * 200, deltas=200, every=0.05)
    run_id = await begun(server, agent, upstream)
    async with serve() as other:
        lost = await die(server, run_id, sql)
        ended = await until_status(other, run_id, "completed", "error")
        assert ended.status == "completed", ended.error_message
        assert (await sql("select attempts, worker from runs where id = $1", run_id))[0][
            "attempts"
        ] == 2
        lost.task.cancel()
        await asyncio.wait([lost.task])
    assert [tuple(row) for row in await sql(ANSWERS, run_id)] == [
        ("user", "Wake up."),
        ("assistant", "Hello from the scripted model."),
    ]
    kinds = [row["kind"] for row in await sql(KINDS, run_id)]
    assert kinds == ["run.queued", "run.started", "run.resumed", "run.ended"]
    assert [message["content"] for message in upstream.requests[-1].body["messages"]] == [
        "Write.",
        "Wake up.",
    ]


async def test_what_a_worker_says_that_was_taken_for_dead_counts_no_more(
    server: RunningServer,
    agent: AgentView,
    upstream: ScriptedUpstream,
    sql: Sql,
) -> None:
    """It finds out at its next beat, and lets go."""
    hung_up = upstream.hung_up
    upstream.reply(WORD * 200, deltas=200, every=0.05)
    run_id = await begun(server, agent, upstream)
    await sql("update runs set worker = 'elsewhere:1' where id = $1", run_id)
    await upstream.until_hung_up(hung_up + 1)
    assert server.services.runner.live == {}
    assert [row["role"] for row in await sql(ANSWERS, run_id)] == ["user"]
    assert (await sql("select status from runs where id = $1", run_id))[0][0] == "running"
    await sql(SILENT, run_id)
    assert (await until_status(server, run_id, "completed", "error")).status == "completed"


@pytest.mark.parametrize("what", ["was carried three times", "said the last word"])
async def test_where_it_is_not_safe_the_run_is_ended(
    server: RunningServer,
    serve: Serve,
    agent: AgentView,
    upstream: ScriptedUpstream,
    sql: Sql,
    what: str,
) -> None:
    upstream.silence()
    run = await start_wake(context(server.services), agent.id, Wake(message="Wake up."))
    await until_asked(upstream)
    if what == "was carried three times":
        await sql("update runs set attempts = 3 where id = $1", run.id)
    else:
        await sql(
            """with run as (update runs set last_seq = last_seq + 1 where id = $1 returning *),
            session as (update sessions set message_count = message_count + 1
                from run where sessions.id = run.session_id)
            insert into messages (id, session_id, run_id, seq, role, content, created_at)
            select $2, session_id, id, last_seq, 'assistant', 'Wait.', now() from run""",
            run.id,
            uuid7(),
        )
    async with serve() as other:
        lost = await die(server, run.id, sql)
        ended = await until_status(other, run.id, "completed", "error")
    lost.task.cancel()
    await asyncio.wait([lost.task])
    assert (ended.status, ended.error_code) == ("error", "run_lost")
    assert len(upstream.requests) == 1
    lease = await sql("select lease_run_id from sessions where id = $1", ended.session_id)
    assert lease[0][0] is None


async def test_what_tools_did_is_not_done_again(
    serve: Serve, upstream: ScriptedUpstream, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call has its result, of the other nobody knows what came of it: so the model is told."""
    bench = Bench()
    every_agent_has(bench, monkeypatch)
    upstream.reply(
        calls=(call("weather", city="Paris"),), said_before="Let me see.", usage=Usage(10, 2)
    )
    upstream.reply(calls=(call("weather", "a", city="Rome"), call("wait", "b")), usage=Usage(20, 3))
    upstream.reply("Sunny, and ready.", usage=Usage(30, 4))
    async with serve() as server, serve(carry_jobs=False) as door:
        agent = await add_agent(server.services, await add_provider(server.services, upstream))
        run = await start_wake(context(door.services), agent.id, Wake(message="Wake up."))
        async with asyncio.timeout(20):
            await bench.started.wait()
            while not any(row["is_error"] is False for row in await sql(RESULTS, run.id, "a")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with serve() as other:
            following = asyncio.create_task(told(door, run.id))
            lost = await die(server, run.id, sql)
            ended = await until_status(other, run.id, "completed", "error")
            lost.task.cancel()
            await asyncio.wait([lost.task])
            assert ended.status == "completed", ended.error_message
            await other.services.traces.flush()
            trace = await get_trace(context(other.services), ended.trace_id)
            spans = await sql(SPANS, ended.trace_id)
    assert bench.calls == [("weather", "Paris"), ("weather", "Rome"), ("wait", "Paris")]
    [*_, first, second] = upstream.requests[-1].body["messages"]
    assert (first["tool_call_id"], first["content"]) == ("a", "Sunny in Rome.")
    assert (second["tool_call_id"], second["content"]) == ("b", f"Error: {UNKNOWN}")
    assert (ended.input_tokens, ended.output_tokens) == (60, 9)
    assert (trace.status, trace.llm_call_count, trace.total_input_tokens) == ("completed", 3, 60)
    assert {row["status"] for row in spans} <= {"completed", "cancelled"}
    assert [row["span_type"] for row in spans].count("agent") == 1
    events = await following
    text = "".join(event.text for event in events if isinstance(event, RunText))
    assert text == "Let me see.\n\nSunny, and ready."
    results = [event.call_id for event in events if isinstance(event, RunToolResult)]
    assert results == ["call_1", "a"]


async def test_a_run_that_is_cancelled_while_nobody_carries_it_is_not_taken_up(
    server: RunningServer, serve: Serve, agent: AgentView, upstream: ScriptedUpstream, sql: Sql
) -> None:
    """Its worker has just died, which nobody knows yet; then for certain; then for long."""
    upstream.reply(WORD * 200, deltas=200, every=0.05)
    run_id = await begun(server, agent, upstream)
    async with serve(carry_jobs=False) as other:
        lost = await die(server, run_id, sql)
        await sql("update runs set heartbeat_at = now() where id = $1", run_id)
        following = asyncio.create_task(told(other, run_id))
        assert (await cancel_run(context(other.services), run_id)).status == "running"
        await sql(SILENT, run_id)
        ended = await until_status(other, run_id, "completed", "error", "cancelled")
        assert (ended.status, ended.error_code) == ("cancelled", "run_cancelled")
        assert (await following)[-1].run.status == "cancelled"
        again = await cancel_run(context(other.services), run_id)
        assert again.status == "cancelled"
        lost.task.cancel()
        await asyncio.wait([lost.task])
    assert [row["role"] for row in await sql(ANSWERS, run_id)] == ["user"]
    assert len(upstream.requests) == 1
    kinds = [row["kind"] for row in await sql(KINDS, run_id)]
    assert kinds == ["run.queued", "run.started", "run.ended"]


async def test_a_run_whose_worker_is_known_to_be_dead_is_cancelled_at_once(
    server: RunningServer, serve: Serve, agent: AgentView, upstream: ScriptedUpstream, sql: Sql
) -> None:
    upstream.reply(WORD * 200, deltas=200, every=0.05)
    run_id = await begun(server, agent, upstream)
    async with serve(carry_jobs=False) as other:
        lost = await die(server, run_id, sql)
        assert (await cancel_run(context(other.services), run_id)).status == "cancelled"
        lost.task.cancel()
        await asyncio.wait([lost.task])


async def test_a_worker_that_missed_a_cancel_learns_of_it_with_its_next_beat(
    server: RunningServer,
    serve: Serve,
    agent: AgentView,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upstream.reply(WORD * 200, deltas=200, every=0.05)
    run_id = await begun(server, agent, upstream)
    async with serve(carry_jobs=False) as other:
        monkeypatch.setattr(other.services.remote, "cancel", lambda _: None)
        assert (await cancel_run(context(other.services), run_id)).status == "running"
        ended = await until_status(other, run_id, "completed", "error", "cancelled")
    assert (ended.status, ended.error_code) == ("cancelled", "run_cancelled")
    assert upstream.hung_up == 1


async def test_a_server_that_stops_hands_its_runs_back(
    serve: Serve, upstream: ScriptedUpstream, sql: Sql
) -> None:
    """Whoever follows at the other one hears the answer that counts, whole."""
    async with serve() as other:
        agent = await add_agent(other.services, await add_provider(other.services, upstream))
        assert other.app._jobs is not None
        async with serve(shutdown_grace_s=0, lane_main=50) as stopping:
            upstream.reply(WORD * 200, deltas=200, every=0.05)
            upstream.reply("The same " * 20, deltas=20, every=0.02)
            run = await carried_by(stopping, other, agent, upstream)
            following = asyncio.create_task(told(other, run))
            await asyncio.sleep(0.5)
        ended = await until_status(other, run, "completed", "error")
        assert ended.status == "completed", ended.error_message
        events = await following
    text = ""
    for event in events:
        if isinstance(event, RunText):
            text = event.text if event.offset == 0 else text + event.text
    assert text == "The same " * 20
    assert isinstance(events[-1], RunEnded)
    kinds = [row["kind"] for row in await sql(KINDS, run)]
    assert kinds == ["run.queued", "run.started", "run.resumed", "run.ended"]


async def carried_by(
    server: RunningServer, other: RunningServer, agent: AgentView, upstream: ScriptedUpstream
) -> UUID:
    """A run of that server, as the other one takes no jobs meanwhile."""
    other.services.runner.stopping = True
    run = await start_wake(context(other.services), agent.id, Wake(message="Wake up."))
    await until_asked(upstream)
    assert run.id in server.services.runner.live
    other.services.runner.stopping = False
    return run.id


async def told(server: RunningServer, run_id: UUID) -> list[Any]:
    return [event async for event in watch_run(context(server.services), run_id)]


async def test_servers_are_restarted_one_after_the_other_under_load(
    serve: Serve, upstream: ScriptedUpstream, sql: Sql
) -> None:
    """No run is lost or carried to its end twice, and no event is missing."""
    upstream.default = Script(text=WORD * 10, deltas=10, every=0.05)
    runs: list[UUID] = []
    async with serve(carry_jobs=False) as door:
        agent = await add_agent(door.services, await add_provider(door.services, upstream))

        async def load() -> None:
            for number in range(RUNS):
                data = Wake(message="Wake up.", session_key=f"s{number % 8}")
                runs.append((await start_wake(context(door.services), agent.id, data)).id)
                await asyncio.sleep(0.1)

        old = [AsyncExitStack(), AsyncExitStack()]
        for stack in old:
            await stack.enter_async_context(serve(shutdown_grace_s=0))
        loading = asyncio.create_task(load())
        async with AsyncExitStack() as new:
            for stack in old:
                await asyncio.sleep(1)
                await stack.aclose()
                await new.enter_async_context(serve())
            await loading
            async with asyncio.timeout(60):
                while (await sql("select count(*) from procrastinate_jobs"))[0][0]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
    states = await sql("select status, count(*) from runs group by status")
    assert [tuple(row) for row in states] == [("completed", RUNS)]
    for run_id in runs:
        kinds = [row["kind"] for row in await sql(KINDS, run_id)]
        assert kinds[:2] == ["run.queued", "run.started"]
        assert kinds[-1] == "run.ended"
        assert set(kinds[2:-1]) <= {"run.resumed"}
        assert [row["role"] for row in await sql(ANSWERS, run_id)] == ["user", "assistant"]
