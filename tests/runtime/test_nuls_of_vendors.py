"""A vendor may send what PostgreSQL cannot store: a NUL, in any text of its answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from goclaw.core.errors import GatewayError
from goclaw.models.runs import RunStatus
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.services import Services
from goclaw.resolvers.toolboxes import NoTools
from tests.runtime.acting import Scene, chat, set_scene
from tests.support.callers import context
from tests.upstream import Script, ScriptedUpstream, call


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    return await set_scene(services, upstream, max_attempts=1)


def whole(**choice: Any) -> Script:
    answer = {
        "id": "a\0b",
        "model": "scripted\0-1",
        "choices": [{"index": 0, "finish_reason": "st\0op", **choice}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    return Script(raw=json.dumps(answer).encode(), content_type="application/json")


def streamed(**delta: Any) -> Script:
    event = {
        "id": "a\0b",
        "model": "scripted\0-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": "st\0op"}],
    }
    raw = b"data: " + json.dumps(event).encode() + b"\n\ndata: [DONE]\n\n"
    return Script(raw=raw, content_type="text/event-stream")


async def ends_and_is_traced(scene: Scene, status: RunStatus) -> None:
    run = await scene.run()
    assert run.status == status
    await scene.services.traces.flush()
    rows = await scene.services.database.pool.fetch(
        "select status from traces where id = $1", run.trace_id
    )
    assert [row.status for row in rows] == [status]


async def test_in_an_answer(scene: Scene) -> None:
    scene.upstream.queue(streamed(content="Sun\0ny.", reasoning_content="Hm\0m."))
    assert (await (await scene.start()).reply()).content == "Sunny."
    await ends_and_is_traced(scene, RunStatus.COMPLETED)


async def test_in_an_answer_without_tools(scene: Scene) -> None:
    message = {"content": "Sun\0ny.", "reasoning_content": "Hm\0m."}
    scene.upstream.queue(whole(message=message))
    ctx = context(replace(scene.services, toolboxes=NoTools()))
    assert (await (await start_chat(ctx, chat())).reply()).content == "Sunny."
    await ends_and_is_traced(scene, RunStatus.COMPLETED)


async def test_in_a_call_of_a_tool(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather\0", id="call\0_1", city="Ro\0me"),))
    scene.upstream.reply("Sunny.")
    assert (await (await scene.start()).reply()).content == "Sunny."
    await ends_and_is_traced(scene, RunStatus.COMPLETED)


async def test_in_a_refusal(scene: Scene) -> None:
    scene.upstream.fail(400, message="no\0thing")
    with pytest.raises(GatewayError):
        await (await scene.start()).reply()
    await ends_and_is_traced(scene, RunStatus.ERROR)
