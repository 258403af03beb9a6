"""Conversations that outgrow their model, and what an agent with tools is told first."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from goclaw.models.agents import AgentPatch
from goclaw.models.chat import SendMessage
from goclaw.models.runs import RunView
from goclaw.resolvers.agents import get_agent, update_agent
from goclaw.resolvers.runs import send_message
from goclaw.resolvers.services import Services
from goclaw.resolvers.toolboxes import NoTools
from goclaw.runtime.compaction import cut_of
from tests.runtime.acting import Scene, chat, set_scene
from tests.support.callers import context
from tests.upstream import ScriptedUpstream, Usage, call

TURNS = 60
FULL = Usage(input=9000, output=10)


@pytest.fixture
async def scene(services: Services, upstream: ScriptedUpstream) -> Scene:
    scene = await set_scene(services, upstream)
    agent = await get_agent(scene.ctx, "scribe")
    await update_agent(scene.ctx, agent.id, AgentPatch(context_window=10_000))
    return scene


async def say(scene: Scene, text: str, session_id: UUID | None = None) -> RunView:
    agent = await get_agent(scene.ctx.afresh(), "scribe")
    data: Any = {"session_id": session_id} if session_id else {"agent_id": agent.id}
    run = await send_message(context(scene.services), SendMessage(text=text, **data))
    live = scene.services.runner.live.get(run.id)
    if live is not None:
        await live.ended()
    return run


async def compacted(scene: Scene) -> None:
    async def done() -> bool:
        return bool(
            await scene.services.database.pool.fetchval("select max(summary_seq) from sessions")
        )

    await scene.until(done)


async def test_sixty_turns_and_a_summary(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather", city="Oslo"),))
    scene.upstream.reply("Sunny in Oslo.")
    run = await say(scene, "Turn 0")
    for number in range(1, TURNS - 1):
        scene.upstream.reply(f"Answer {number}.")
        await say(scene, f"Turn {number}", run.session_id)
    assert len(scene.sent()) == 2 * TURNS
    scene.upstream.reply("Answer 59.", usage=FULL)
    scene.upstream.reply("The user counts turns; it was sunny in Oslo.", usage=Usage(500, 20))
    await say(scene, "Turn 59", run.session_id)
    await compacted(scene)

    asked = scene.upstream.requests[-1].body
    assert "tools" not in asked
    transcript = asked["messages"][1]["content"]
    assert "Turn 0" in transcript
    assert "(calls weather" in transcript
    assert "Sunny in Oslo." in transcript
    assert "Turn 59" not in transcript
    paid = await scene.run()
    assert (paid.input_tokens, paid.output_tokens) == (9500, 30)
    _, spans = await scene.trace()
    assert [s.name for s in spans if s.name == "compaction"] == ["compaction"]

    scene.upstream.reply("Answer 60.")
    await say(scene, "Turn 60", run.session_id)
    sent = [(m["role"], m["content"]) for m in scene.sent()]
    assert sent[0][0] == "system"
    assert sent[0][1].startswith("Write.")
    assert sent[1] == (
        "system",
        "[Summary of the conversation so far]\nThe user counts turns; it was sunny in Oslo.",
    )
    assert sent[2:] == [
        ("user", "Turn 58"),
        ("assistant", "Answer 58."),
        ("user", "Turn 59"),
        ("assistant", "Answer 59."),
        ("user", "Turn 60"),
    ]
    assert len(await scene.services.database.pool.fetch("select from messages")) == 2 * 61 + 2


async def test_what_comes_while_a_summary_is_made_is_not_in_it_and_not_lost(scene: Scene) -> None:
    run = await say(scene, "Turn 0")
    for number in range(1, 4):
        await say(scene, f"Turn {number}", run.session_id)
    scene.upstream.reply("Answer 4.", usage=FULL)
    scene.upstream.reply("They counted.", head_after=0.5)
    await say(scene, "Turn 4", run.session_id)
    await scene.upstream.until(lambda: len(scene.upstream.requests) == 6)
    scene.upstream.reply("Answer 5.")
    await say(scene, "Turn 5", run.session_id)
    await compacted(scene)
    scene.upstream.reply("Answer 6.")
    await say(scene, "Turn 6", run.session_id)
    said = [m["content"] for m in scene.sent() if m["role"] == "user"]
    assert said == ["Turn 3", "Turn 4", "Turn 5", "Turn 6"]


async def test_a_summary_that_fails_is_tried_again(scene: Scene) -> None:
    run = await say(scene, "Turn 0")
    for number in range(1, 4):
        await say(scene, f"Turn {number}", run.session_id)
    scene.upstream.reply("Answer 4.", usage=FULL)
    scene.upstream.fail(500)
    await say(scene, "Turn 4", run.session_id)
    await scene.upstream.until(lambda: len(scene.upstream.requests) == 6)
    await asyncio.sleep(0.1)
    scene.upstream.reply("Answer 5.", usage=FULL)
    scene.upstream.reply("They counted.")
    await say(scene, "Turn 5", run.session_id)
    await compacted(scene)


async def test_what_a_client_posts_is_never_altered(scene: Scene) -> None:
    said: list[dict[str, str]] = []
    for number in range(30):
        said += [
            {"role": "user", "content": f"Turn {number} " + "x" * 2000},
            {"role": "assistant", "content": f"Answer {number}."},
        ]
    said.append({"role": "user", "content": "Now?"})
    scene.upstream.reply("Now.", usage=FULL)
    await (await scene.start(chat(messages=said))).reply()
    sent = [{"role": m["role"], "content": m["content"]} for m in scene.sent()]
    assert sent[1:] == said
    await asyncio.sleep(0.1)
    assert len(scene.upstream.requests) == 1


async def test_the_agents_history_limit(scene: Scene) -> None:
    agent = await get_agent(scene.ctx, "scribe")
    await update_agent(scene.ctx, agent.id, AgentPatch(other_config={"history_limit": 3}))
    run = await say(scene, "Turn 0")
    for number in range(1, 4):
        await say(scene, f"Turn {number}", run.session_id)
    said = [m["content"] for m in scene.sent() if m["role"] == "user"]
    assert said == ["Turn 2", "Turn 3"]
    assert scene.sent()[1]["role"] == "user"


async def test_an_agent_with_tools_is_told_of_them(scene: Scene) -> None:
    await (await scene.start()).reply()
    told = scene.sent()[0]["content"]
    assert told.startswith("Write.\n\n# Tools\n")
    assert "- weather: Does weather.\n" in told
    assert told.endswith(f"Today is {datetime.now(UTC).date().isoformat()} (UTC).")
    assert "Workspace" not in told

    scene.services = replace(scene.services, toolboxes=NoTools())
    scene.ctx = context(scene.services)
    await (await scene.start()).reply()
    assert scene.sent()[0]["content"] == "Write."


@pytest.mark.parametrize(
    ("roles", "keep", "cut"),
    [
        ("", 4, 0),
        ("uaua", 4, 0),
        ("uauaua", 4, 2),
        ("uauaua", 3, 2),
        ("uatatatau", 4, 0),  # nowhere to cut without parting a call from its result
        ("uauatatau", 4, 2),
        ("uuuuuu", 1, 5),
    ],
)
def test_where_a_conversation_is_cut(roles: str, keep: int, cut: int) -> None:
    names = {"u": "user", "a": "assistant", "t": "tool"}
    assert cut_of([names[role] for role in roles], keep) == cut
