"""Following a run that acts, speaking to it meanwhile, and what outlives it."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.errors import Conflict
from goclaw.models.chat import SendMessage
from goclaw.models.run_events import (
    RunEnded,
    RunEvent,
    RunInjected,
    RunStarted,
    RunText,
    RunThinking,
    RunToolCall,
    RunToolResult,
)
from goclaw.models.runs import RunStatus, RunView
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import cancel_run, send_message
from goclaw.resolvers.services import Services
from goclaw.resolvers.toolboxes import NoTools
from goclaw.runtime.history import UNKNOWN
from goclaw.store.runs import end_lost_runs
from tests.runtime.acting import Scene, set_scene
from tests.support.callers import context
from tests.upstream import ScriptedUpstream, call


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    return await set_scene(services, upstream)


async def say(scene: Scene, text: str, session_id: UUID | None = None, **more: Any) -> RunView:
    data: dict[str, Any] = {"text": text, "session_id": session_id}
    if session_id is None:
        data["agent_id"] = (
            await scene.ctx.services.targets.find(
                scene.ctx.reads, id=None, key="scribe", or_default=False
            )
        ).id  # type: ignore[union-attr]
    ctx = context(scene.services, **more)
    return await send_message(ctx, SendMessage(**data))


async def followed(scene: Scene, run_id: UUID) -> list[RunEvent]:
    return [event async for event in watch_run(scene.ctx.afresh(), run_id)]


def outline(events: list[RunEvent]) -> list[Any]:
    told: list[Any] = []
    for event in events:
        match event:
            case RunText():
                if told and isinstance(told[-1], str):
                    told[-1] += event.text
                else:
                    told.append(event.text)
            case RunToolCall():
                told.append(("call", event.call_id, event.name, event.offset))
            case RunToolResult():
                told.append(("result", event.call_id, event.is_error, event.text))
            case RunInjected():
                told.append(("injected", event.text))
            case RunEnded():
                told.append(("ended", event.run.status))
    return told


def durations_ms(events: list[RunEvent]) -> list[int]:
    results = [event for event in events if isinstance(event, RunToolResult)]
    return [result.duration_ms for result in results if result.duration_ms is not None]


async def test_a_follower_is_told_each_step(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait", city="Rome"),), said_before="Let me look.")
    scene.upstream.reply("Sunny.")
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    following = asyncio.create_task(followed(scene, run.id))
    await asyncio.sleep(0.2)
    scene.bench.gate.set()
    events = await following
    assert isinstance(events[0], RunStarted)
    steps = [step for step in outline(events) if not isinstance(step, str)]
    assert steps == [
        ("call", "call_1", "wait", 12),
        ("result", "call_1", False, "Waited in Rome."),
        ("ended", RunStatus.COMPLETED),
    ]
    said = "".join(event.text for event in events if isinstance(event, RunText))
    assert said == "Let me look.\n\nSunny."
    assert [took for took in durations_ms(events) if took >= 200]


async def test_a_follower_who_comes_later_is_told_the_same(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather", city="Rome"),), said_before="Let me look.")
    scene.upstream.reply("Sunny.")
    run = await say(scene, "What is it like?")
    await scene.until_ended()
    events = await followed(scene, run.id)
    assert [took for took in durations_ms(events) if 0 <= took < 10_000]
    assert outline(events) == [
        ("call", "call_1", "weather", 12),
        ("result", "call_1", False, "Sunny in Rome."),
        "Let me look.\n\nSunny.",
        ("ended", RunStatus.COMPLETED),
    ]


async def test_thinking_is_followed_in_its_places(scene: Scene) -> None:
    """What led to steps that are written down is stored with them, and not told any more."""
    first = {"thinking": "I do not know.", "said_before": "Let me look."}
    scene.upstream.reply(calls=(call("wait", city="Rome"),), head_after=0.5, **first)
    scene.upstream.reply("Sunny.", thinking="Now I do.")
    run = await say(scene, "What is it like?")
    early = asyncio.create_task(followed(scene, run.id))
    await scene.tool_started()
    late = asyncio.create_task(followed(scene, run.id))
    await asyncio.sleep(0.2)
    scene.bench.gate.set()
    assert thoughts(await early) == [(0, "I do not know."), (12, "Now I do.")]
    assert thoughts(await late) == [(12, "Now I do.")]
    assert thoughts(await followed(scene, run.id)) == []


def thoughts(events: list[RunEvent]) -> list[tuple[int, str]]:
    """Of each model call, with its place in the answer."""
    calls: list[tuple[int, str]] = []
    for event in events:
        if isinstance(event, RunThinking) and event.offset == 0:
            calls.append((event.answer_offset, event.text))
        elif isinstance(event, RunThinking):
            place, text = calls.pop()
            assert (event.offset, event.answer_offset) == (len(text), place)
            calls.append((place, text + event.text))
    return calls


async def test_what_is_said_while_tools_work_is_heard_before_the_next_call(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait"),))
    scene.upstream.reply("In Fahrenheit, then.")
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    same = await say(scene, "In Fahrenheit, please.", run.session_id)
    assert same.id == run.id
    scene.bench.gate.set()
    await scene.until_ended()

    assert [m["role"] for m in scene.sent()] == ["system", "user", "assistant", "tool", "user"]
    assert scene.sent()[-1]["content"] == "In Fahrenheit, please."
    assert [(m.seq, m.role, m.content) for m in await scene.stored()] == [
        (1, "user", "What is it like?"),
        (2, "assistant", ""),
        (3, "tool", "Waited in Paris."),
        (4, "user", "In Fahrenheit, please."),
        (5, "assistant", "In Fahrenheit, then."),
    ]
    assert [kind for kind, _ in await scene.told()] == [
        "run.started",
        "tool.call",
        "run.injected",
        "tool.result",
        "run.ended",
    ]
    assert ("injected", "In Fahrenheit, please.") in outline(await followed(scene, run.id))


async def test_what_waits_to_be_taken_is_told_once_to_whoever_comes_later(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait"),))
    scene.upstream.reply("In Fahrenheit, then.")
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    await say(scene, "In Fahrenheit,", run.session_id)
    await say(scene, "please.", run.session_id)
    following = asyncio.create_task(followed(scene, run.id))
    await asyncio.sleep(0.2)
    scene.bench.gate.set()
    told = outline(await following)
    said = [step[1] for step in told if step[0] == "injected"]
    assert said == ["In Fahrenheit,", "please."]


async def test_what_is_said_during_the_last_answer_is_answered_too(scene: Scene) -> None:
    scene.upstream.reply("It is sunny.", every=0.2)
    scene.upstream.reply("You are welcome.")
    run = await say(scene, "What is it like?")
    await scene.upstream.until(lambda: bool(scene.upstream.requests))
    await say(scene, "Thanks.", run.session_id)
    await scene.until_ended()
    assert [(m.role, m.content) for m in await scene.stored()] == [
        ("user", "What is it like?"),
        ("assistant", "It is sunny."),
        ("user", "Thanks."),
        ("assistant", "You are welcome."),
    ]
    ended = await scene.run()
    assert (ended.status, ended.input_tokens, ended.last_seq) == (RunStatus.COMPLETED, 24, 4)


async def test_five_messages_wait_and_no_more(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait"),))
    scene.upstream.reply("All heard.")
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    for number in range(5):
        await say(scene, f"{number}", run.session_id)
    with pytest.raises(Conflict, match="answering already"):
        await say(scene, "5", run.session_id)
    scene.bench.gate.set()
    await scene.until_ended()
    assert [m["content"] for m in scene.sent()[4:]] == ["0", "1", "2", "3", "4"]


async def test_the_same_request_is_heard_once(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait"),))
    scene.upstream.reply("Heard.")
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    for _ in range(2):
        again = await say(scene, "Once.", run.session_id, idempotency_key="once")
        assert again.id == run.id
    scene.bench.gate.set()
    await scene.until_ended()
    assert [m.content for m in await scene.stored()].count("Once.") == 1


async def test_a_run_without_tools_takes_nothing(scene: Scene) -> None:
    scene.services = replace(scene.services, toolboxes=NoTools())
    scene.upstream.reply("It is sunny.", every=0.3)
    run = await say(scene, "What is it like?")
    with pytest.raises(Conflict, match="answering already"):
        await say(scene, "Thanks.", run.session_id)
    await scene.until_ended()


async def test_what_a_cancelled_run_did_not_hear_is_kept(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("wait"),))
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    await say(scene, "Never mind.", run.session_id)
    await cancel_run(scene.ctx.afresh(), run.id)

    async def kept() -> bool:
        return (await scene.stored())[-1].content == "Never mind."

    await scene.until(kept)
    assert [m.seq for m in await scene.stored()] == [1, 2, 4]


async def test_a_call_without_a_result_is_of_unknown_outcome_and_not_carried_out_again(
    scene: Scene,
) -> None:
    scene.upstream.reply(calls=(call("wait", "call_1"), call("weather", "call_2")))
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    await scene.until_told(4)
    await cancel_run(scene.ctx.afresh(), run.id)
    scene.upstream.reply("I do not know about Paris.")
    await say(scene, "And?", run.session_id)
    await scene.until_ended()

    sent = scene.sent()
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert [m["tool_call_id"] for m in sent[3:5]] == ["call_1", "call_2"]
    assert sent[3]["content"] == f"Error: {UNKNOWN}"
    assert sent[4]["content"] == "Sunny in Paris."
    assert [name for name, _ in scene.bench.calls] == ["wait", "weather"]


async def test_a_run_whose_worker_died_is_whole_up_to_its_last_step(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather", "call_1"), call("wait", "call_2")))
    run = await say(scene, "What is it like?")
    await scene.tool_started()
    await scene.until_told(4)
    await say(scene, "Still there?", run.session_id)
    await scene.services.traces.flush()
    pool = scene.services.database.pool
    await pool.fetch("update runs set heartbeat_at = now() - interval '1 hour'")
    assert await end_lost_runs(scene.services.database) == 1

    ended = await scene.run()
    assert (ended.status, ended.error_code, ended.input_tokens) == (
        RunStatus.ERROR,
        "run_lost",
        12,
    )
    assert [(m.seq, m.role) for m in await scene.stored()] == [
        (1, "user"),
        (2, "assistant"),
        (3, "tool"),
        (5, "user"),
    ]
    trace, spans = await scene.trace()
    assert (trace.status, trace.llm_call_count, trace.tool_call_count) == ("error", 1, 1)
    assert trace.total_input_tokens == 12
    assert [s.status for s in spans if s.span_type == "agent"] == ["error"]

    scene.bench.gate.set()  # the worker was not dead after all: it goes no further

    async def given_up() -> bool:
        return not scene.services.runner.live

    await scene.until(given_up)
    assert len(scene.upstream.requests) == 1
    assert [kind for kind, _ in await scene.told()].count("run.ended") == 1
