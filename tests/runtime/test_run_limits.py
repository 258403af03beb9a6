"""Limits of runs that act: each ends with a real answer."""

from dataclasses import replace
from typing import Any

import pytest

from goclaw.models.agents import AgentPatch
from goclaw.models.runs import RunStatus
from goclaw.resolvers.agents import get_agent, update_agent
from goclaw.resolvers.services import Services
from tests.runtime.acting import Scene, set_scene
from tests.upstream import ScriptedUpstream, call


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    return await set_scene(services, upstream)


def limit(scene: Scene, **limits: Any) -> None:
    runner = scene.services.runner
    runner._limits = replace(runner._limits, **limits)


async def answer(scene: Scene) -> str:
    return (await (await scene.start()).reply()).content


def closing(scene: Scene) -> str:
    """What the model is told when it is asked for the last time."""
    body = scene.upstream.requests[-1].body
    assert body["tool_choice"] == "none"
    assert body["tools"]  # vendors refuse calls in the history without them
    told = body["messages"][-1]
    assert told["role"] == "user"
    return str(told["content"])


async def test_after_its_rounds_the_agent_answers(scene: Scene) -> None:
    agent = await get_agent(scene.ctx, "scribe")
    await update_agent(scene.ctx, agent.id, AgentPatch(max_tool_iterations=2))
    for city in ("Rome", "Oslo"):
        scene.upstream.reply(calls=(call("weather", city=city),))
    scene.upstream.reply("Here is what I have.")
    assert await answer(scene) == "Here is what I have."
    assert "2 rounds of tool calls" in closing(scene)
    assert len(scene.upstream.requests) == 3
    assert (await scene.run()).status == RunStatus.COMPLETED
    assert [m.role for m in await scene.stored()] == [
        "user",
        *["assistant", "tool"] * 2,
        "assistant",
    ]


async def test_calls_beyond_the_limit_are_not_carried_out(scene: Scene) -> None:
    limit(scene, tool_calls=2)
    calls = tuple(call("weather", f"call_{n}", city=f"c{n}") for n in range(3))
    scene.upstream.reply(calls=calls)
    scene.upstream.reply("Two of three.")
    assert await answer(scene) == "Two of three."
    assert scene.bench.calls == [("weather", "c0"), ("weather", "c1")]
    results = [m for m in await scene.stored() if m.role == "tool"]
    assert [m.is_error for m in results] == [False, False, True]
    assert "limit of 2 tool calls" in results[-1].content
    assert "limit of 2 tool calls" in closing(scene)


async def test_when_its_time_is_over_tools_are_stopped_and_the_agent_answers(scene: Scene) -> None:
    limit(scene, time_s=0.4)
    scene.upstream.reply(calls=(call("wait", "call_1"), call("weather", "call_2")))
    scene.upstream.reply("Not in time.")
    assert await answer(scene) == "Not in time."
    assert scene.bench.stopped == 1
    results = [m for m in await scene.stored() if m.role == "tool"]
    assert [(m.tool_call_id, m.is_error) for m in results] == [("call_1", True), ("call_2", False)]
    assert "0.4 s, is over" in closing(scene)


async def test_a_model_that_goes_round_in_circles_is_warned_and_then_stopped(scene: Scene) -> None:
    scene.upstream.default = replace(scene.upstream.default, calls=(call("weather", pieces=1),))
    scene.upstream.choose = lambda received: (
        replace(scene.upstream.default, calls=(), text="I was going round in circles.")
        if received.body.get("tool_choice") == "none"
        else None
    )
    assert await answer(scene) == "I was going round in circles."
    assert len(scene.bench.calls) == 5
    assert "5 times" in closing(scene)
    told = [m["content"] for m in scene.sent() if m["role"] == "user"]
    assert [text for text in told if "you called weather 3 times" in text]
    assert not [m for m in await scene.stored() if "From the gateway" in m.content]


async def test_other_arguments_are_no_circle(scene: Scene) -> None:
    for number in range(6):
        scene.upstream.reply(calls=(call("weather", city=f"c{number}"),))
    scene.upstream.reply("Six cities.")
    assert await answer(scene) == "Six cities."
    assert not [m for m in scene.sent() if "From the gateway" in str(m)]


async def test_calls_of_an_output_that_was_cut_off_are_not_carried_out(scene: Scene) -> None:
    scene.upstream.reply(
        calls=(call("weather", city="Oslo"),), said_before="Let me look.", finish="length"
    )
    scene.upstream.reply("Shorter now.")
    assert await answer(scene) == "Let me look.\n\nShorter now."
    assert scene.bench.calls == []
    assert "cut off" in scene.sent()[-1]["content"]
    assert "tool_choice" not in scene.upstream.requests[-1].body
    stored = await scene.stored()
    assert [(m.role, m.tool_calls) for m in stored] == [
        ("user", None),
        ("assistant", None),
        ("assistant", None),
    ]
    trace, _ = await scene.trace()
    assert (trace.llm_call_count, trace.tool_call_count) == (2, 0)


async def test_a_model_that_calls_tools_though_it_must_not_is_not_followed(scene: Scene) -> None:
    limit(scene, tool_calls=1)
    scene.upstream.default = replace(scene.upstream.default, calls=(call("weather"),))
    text = await answer(scene)
    assert text == "I had to stop: the limit of 1 tool calls is reached."
    assert scene.bench.calls == [("weather", "Paris")]
    last = (await scene.stored())[-1]
    assert (last.role, last.content, last.tool_calls) == ("assistant", text, None)
