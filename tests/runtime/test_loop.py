"""Runs that act: what the model is told, what is stored, told to followers, traced and paid."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from goclaw.core.errors import Conflict, UpstreamFailed
from goclaw.models.agents import AgentPatch
from goclaw.models.chat import ChatRequest
from goclaw.models.runs import RunStatus
from goclaw.providers.messages import Delta
from goclaw.resolvers.agents import get_agent, update_agent
from goclaw.resolvers.runs import cancel_run
from goclaw.resolvers.services import Services
from goclaw.store.traces import end_left_traces
from tests.runtime.acting import Scene, chat, set_scene
from tests.upstream import ScriptedUpstream, Usage, call


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    return await set_scene(services, upstream)


async def heard(scene: Scene, data: ChatRequest | None = None) -> list[Delta]:
    run = await scene.start(data)
    return [delta async for deltas in run.deltas() for delta in deltas]


async def test_three_tools_in_parallel(scene: Scene) -> None:
    calls = (
        call("wait", "call_1", city="Rome"),
        call("weather", "call_2", city="Oslo"),
        call("refuses", "call_3", city="Bern"),
    )
    scene.upstream.reply(calls=calls, said_before="Let me look.", usage=Usage(10, 5, 2))
    scene.upstream.reply("Sunny.", usage=Usage(30, 3, 20))

    answering = asyncio.create_task(heard(scene))
    await scene.tool_started()
    await scene.until_told(6)  # the quick ones do not wait for the slow one
    scene.bench.gate.set()
    deltas = await answering

    assert "".join(delta.text for delta in deltas) == "Let me look.\n\nSunny."
    assert not any(delta.tool_calls for delta in deltas)
    [usage] = [delta.usage for delta in deltas if delta.usage]
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (40, 8, 22)
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]

    assert [m["role"] for m in scene.sent()] == ["system", "user", "assistant", *["tool"] * 3]
    assert [m["tool_call_id"] for m in scene.sent()[3:]] == ["call_1", "call_2", "call_3"]
    assert [m["content"] for m in scene.sent()[3:]] == [
        "Waited in Rome.",
        "Sunny in Oslo.",
        "Error: Bern is closed.",
    ]
    stored = await scene.stored()
    assert [(m.seq, m.role, m.tool_call_id, m.is_error) for m in stored] == [
        (1, "user", None, False),
        (2, "assistant", None, False),
        (3, "tool", "call_1", False),
        (4, "tool", "call_2", False),
        (5, "tool", "call_3", True),
        (6, "assistant", None, False),
    ]
    assert [c["name"] for c in stored[1].tool_calls or ()] == ["wait", "weather", "refuses"]
    told = await scene.told()
    assert [kind for kind, _ in told] == [
        "run.started",
        *["tool.call"] * 3,
        *["tool.result"] * 3,
        "run.ended",
    ]
    assert [p["call_id"] for k, p in told if k == "tool.call"] == ["call_1", "call_2", "call_3"]
    assert told[-2][1]["call_id"] == "call_1"
    run = await scene.run()
    assert (run.status, run.input_tokens, run.output_tokens, run.cached_tokens) == (
        RunStatus.COMPLETED,
        40,
        8,
        22,
    )
    assert (run.first_seq, run.last_seq) == (1, 6)


async def test_the_trace_of_a_run_that_acts(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather", "call_1", city="Oslo"), call("broken", "call_2")))
    scene.upstream.reply("Sunny.")
    await heard(scene)

    trace, spans = await scene.trace()
    assert (trace.status, trace.span_count, trace.llm_call_count, trace.tool_call_count) == (
        "completed",
        5,
        2,
        2,
    )
    assert trace.total_input_tokens == 24
    agent = spans[0]
    assert (agent.span_type, agent.status, agent.parent_span_id) == ("agent", "completed", None)
    assert [s.span_type for s in spans] == [
        "agent",
        "llm_call",
        "tool_call",
        "tool_call",
        "llm_call",
    ]
    assert {s.parent_span_id for s in spans[1:]} == {agent.id}
    tools = {s.tool_name: s for s in spans if s.span_type == "tool_call"}
    assert (tools["weather"].tool_call_id, tools["weather"].status) == ("call_1", "completed")
    assert tools["weather"].input_preview == '{"city": "Oslo"}'
    assert tools["weather"].output_preview == "Sunny in Oslo."
    assert (tools["broken"].status, tools["broken"].error) == ("error", "broken failed.")
    first, last = (s for s in spans if s.span_type == "llm_call")
    assert (first.finish_reason, last.finish_reason) == ("tool_calls", "stop")
    assert first.metadata is not None
    assert first.metadata["first_token_ms"] is not None
    assert last.output_preview == "Sunny."


async def test_a_trace_is_there_while_its_run_goes_on(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather"), call("wait", "call_2")))
    scene.upstream.reply("Done.")
    answering = asyncio.create_task(heard(scene))
    await scene.tool_started()
    while True:
        trace, spans = await scene.trace()
        if len(spans) == 3:
            break
        assert not answering.done()
    assert (trace.status, trace.end_time) == ("running", None)
    assert [(s.span_type, s.status) for s in spans] == [
        ("agent", "running"),
        ("llm_call", "completed"),
        ("tool_call", "completed"),
    ]
    scene.bench.gate.set()
    await answering
    trace, spans = await scene.trace()
    assert (trace.status, len(spans), trace.span_count) == ("completed", 5, 5)
    assert {s.status for s in spans} == {"completed"}


async def test_a_trace_that_its_worker_could_not_end_is_ended_by_another(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was killed when the run had ended, and its trace was yet to be written."""
    scene.upstream.reply(calls=(call("weather", "call_1", city="Oslo"),))
    scene.upstream.reply("Sunny.")
    monkeypatch.setattr(scene.services.traces, "end", lambda *_: None)
    await heard(scene)
    trace, spans = await scene.trace()
    assert (trace.status, [s.status for s in spans].count(RunStatus.RUNNING)) == ("running", 1)

    database = scene.services.database
    since, left = await end_left_traces(database, None)
    assert left == []  # its worker may be about to
    await database.pool.execute("update runs set ended_at = now() - interval '11 seconds'")
    assert (await end_left_traces(database, since - timedelta(minutes=1)))[1] == [trace.id]
    assert (await end_left_traces(database, None))[1] == []
    trace, spans = await scene.trace()
    run = await scene.run()
    assert (trace.status, trace.end_time) == ("completed", run.ended_at)
    assert (trace.total_input_tokens, trace.span_count, trace.tool_call_count) == (24, 3, 1)
    assert {s.status for s in spans} == {"completed"}


async def test_a_whole_answer_is_that_of_all_steps(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather"),), said_before="Let me look.")
    scene.upstream.reply("Sunny.")
    reply = await (await scene.start()).reply()
    assert reply.content == "Let me look.\n\nSunny."
    assert (reply.finish_reason, reply.tool_calls) == ("stop", [])
    assert reply.usage is not None
    assert reply.usage.input_tokens == 24
    assert scene.bench.contexts[0].user_id == "ada"
    assert scene.bench.contexts[0].run_id == (await scene.run()).id


async def test_what_the_client_saw_continues_the_session(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather"),), said_before="Let me look.")
    scene.upstream.reply("Sunny.")
    said = [{"role": "user", "content": "What is it like?"}]
    reply = await (await scene.start(chat(messages=said))).reply()
    said += [
        {"role": "assistant", "content": reply.content},
        {"role": "user", "content": "Thanks."},
    ]
    scene.upstream.reply("Welcome.")
    await (await scene.start(chat(messages=said))).reply()
    assert [m.role for m in await scene.stored()] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]


async def test_a_call_of_the_clients_tool_ends_the_turn_and_ours_come_first(scene: Scene) -> None:
    theirs = {"type": "function", "function": {"name": "open_door", "parameters": {}}}
    scene.upstream.reply(calls=(call("open_door", "call_1"), call("weather", "call_2")))
    deltas = await heard(scene, chat(tools=[theirs]))

    names = [tool["function"]["name"] for tool in scene.upstream.requests[0].body["tools"]]
    assert names == ["broken", "refuses", "slow", "wait", "weather", "open_door"]
    assert len(scene.upstream.requests) == 1
    assert scene.bench.calls == [("weather", "Paris")]
    [fragments] = [delta.tool_calls for delta in deltas if delta.tool_calls]
    assert [(f["index"], f["id"], f["function"]["name"]) for f in fragments] == [
        (0, "call_1", "open_door")
    ]
    assert deltas[-1].finish_reason == "tool_calls"
    assert [m.role for m in await scene.stored()] == ["user", "assistant", "tool"]
    assert (await scene.run()).status == RunStatus.COMPLETED


async def test_a_tool_that_hangs_is_stopped_and_told_to_the_model(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("slow", "call_1"), call("weather", "call_2")))
    scene.upstream.reply("One was slow.")
    reply = await (await scene.start()).reply()
    assert reply.content == "One was slow."
    assert (
        scene.sent()[-2]["content"] == "Error: slow did not finish within 0.05 s and was stopped."
    )
    assert scene.sent()[-1]["content"] == "Sunny in Paris."
    assert scene.bench.stopped == 1


async def test_no_more_tools_work_at_once_than_the_setting_allows(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await set_scene(services, upstream)
    monkeypatch.setattr(
        services.runner, "_limits", replace(services.runner._limits, tools_at_once=2)
    )
    upstream.reply(calls=tuple(call("wait", f"call_{n}", city=f"c{n}") for n in range(5)))
    upstream.reply("Done.")
    answering = asyncio.create_task(heard(scene))
    await scene.tool_started()
    await asyncio.sleep(0.05)
    assert scene.bench.at_work == 2
    scene.bench.gate.set()
    await answering
    assert scene.bench.most_at_work == 2
    assert [m["content"] for m in scene.sent()[3:]] == [f"Waited in c{n}." for n in range(5)]


async def test_an_unknown_tool_and_wrong_arguments_are_told_to_the_model(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("nonsense", "call_1"), call("weather", "call_2", city=7)))
    scene.upstream.reply("Sorry.")
    await heard(scene)
    unknown, wrong = (m["content"] for m in scene.sent()[-2:])
    assert unknown == "Error: There is no tool 'nonsense'."
    assert "city" in wrong


async def test_a_cancel_is_heard_while_a_tool_works(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather", "call_1"), call("wait", "call_2")))
    run = await scene.start()
    answering = asyncio.create_task(run.reply())
    await scene.tool_started()
    await scene.until_told(4)

    cancelled = await cancel_run(scene.ctx.afresh(), run.id)
    assert cancelled.status == RunStatus.CANCELLED
    with pytest.raises(Conflict, match="cancelled"):
        await answering
    await asyncio.sleep(0)
    assert scene.bench.stopped == 1
    assert [(m.seq, m.role) for m in await scene.stored()] == [
        (1, "user"),
        (2, "assistant"),
        (3, "tool"),
    ]
    assert [kind for kind, _ in await scene.told()] == [
        "run.started",
        "tool.call",
        "tool.call",
        "tool.result",
        "run.ended",
    ]
    trace, spans = await scene.trace()
    assert (trace.status, trace.llm_call_count, trace.tool_call_count) == ("cancelled", 1, 2)
    assert trace.total_input_tokens == 12
    assert sorted((s.span_type, s.status) for s in spans) == [
        ("agent", "cancelled"),
        ("llm_call", "completed"),
        ("tool_call", "cancelled"),
        ("tool_call", "completed"),
    ]


async def test_a_client_that_hangs_up_stops_the_tool(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait"),), said_before="One moment.")
    run = await scene.start()
    answering = asyncio.create_task(run.reply())
    await scene.tool_started()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    await scene.until_ended()
    assert (await scene.run()).status == RunStatus.CANCELLED
    assert scene.bench.stopped == 1


async def test_rate_limited_then_answered_in_the_second_step(
    services: Services, upstream: ScriptedUpstream
) -> None:
    scene = await set_scene(services, upstream, max_attempts=3)
    upstream.reply(calls=(call("weather"),))
    upstream.fail(429, retry_after=0)
    upstream.reply("Sunny.")
    assert (await (await scene.start()).reply()).content == "Sunny."
    _, spans = await scene.trace()
    first, last = (s for s in spans if s.span_type == "llm_call")
    assert first.metadata is not None
    assert last.metadata is not None
    assert first.metadata["attempts"] == []
    assert [attempt["code"] for attempt in last.metadata["attempts"]] == [
        "upstream_rate_limited",
        None,
    ]
    assert scene.bench.calls == [("weather", "Paris")]


async def test_a_stream_that_is_cut_in_the_second_step_loses_nothing(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather"),), said_before="Let me look.")
    scene.upstream.reply("It is sunny today", deltas=4, cut_after=2)
    run = await scene.start()
    with pytest.raises(UpstreamFailed):
        await run.reply()
    stored = await scene.stored()
    assert [m.role for m in stored] == ["user", "assistant", "tool", "assistant"]
    assert stored[-1].content
    assert "It is sunny today".startswith(stored[-1].content)
    ended = await scene.run()
    assert (ended.status, ended.error_code) == (RunStatus.ERROR, "upstream_cut")
    assert ended.input_tokens == 12
    _, spans = await scene.trace()
    assert [(s.span_type, s.status) for s in spans] == [
        ("agent", "error"),
        ("llm_call", "completed"),
        ("tool_call", "completed"),
        ("llm_call", "error"),
    ]


async def test_contents_are_stored_nowhere_when_the_agent_stores_none(scene: Scene) -> None:
    agent = await get_agent(scene.ctx, "scribe")
    await update_agent(scene.ctx, agent.id, AgentPatch(store_contents=False))
    scene.upstream.reply(calls=(call("weather", city="Oslo"),), said_before="Let me look.")
    scene.upstream.reply("Sunny.")
    assert "Sunny." in (await (await scene.start()).reply()).content
    assert scene.sent()[-1]["content"] == "Sunny in Oslo."
    stored = await scene.stored()
    assert [(m.role, m.content) for m in stored] == [
        ("user", ""),
        ("assistant", ""),
        ("tool", ""),
        ("assistant", ""),
    ]
    told = repr(await scene.told())
    trace, spans = await scene.trace()
    assert "Oslo" not in told + repr(stored) + repr(trace) + repr(spans)
