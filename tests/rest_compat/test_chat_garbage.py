"""What a chat call made goes when the call is over. What hangs together in a circle stays, with
all that was said, until Python's collector finds it, which costs as much as the call's statements.
"""

import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from openai import AsyncOpenAI

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentPatch
from goclaw.resolvers.agents import list_agents, update_agent
from tests.rest_compat.test_chat import HELLO
from tests.support.callers import context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream, call


@contextmanager
def left_behind() -> Iterator[list[str]]:
    """Kinds of our own objects that only the collector frees."""
    kinds: list[str] = []
    gc.collect()
    gc.disable()
    try:
        yield kinds
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        ours = (kind for kind in map(type, gc.garbage) if kind.__module__.startswith("goclaw."))
        kinds += sorted({kind.__qualname__ for kind in ours})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


Ask = Callable[[], Awaitable[None]]


@pytest.fixture(params=["whole", "streamed"])
def ask(openai: AsyncOpenAI, scribe: str, request: pytest.FixtureRequest) -> Ask:
    async def whole() -> None:
        await openai.chat.completions.create(model=scribe, messages=HELLO)

    async def streamed() -> None:
        deltas = await openai.chat.completions.create(model=scribe, messages=HELLO, stream=True)
        assert [delta async for delta in deltas]

    return whole if request.param == "whole" else streamed


async def test_an_answer_leaves_nothing(
    server: RunningServer, upstream: ScriptedUpstream, ask: Ask
) -> None:
    await ask()
    upstream.reply("One two three", deltas=3, every=0.1)  # long enough for `HangUp` to watch
    with left_behind() as kinds:
        await ask()
        await server.services.traces.flush()
    assert kinds == []


async def test_a_run_with_a_tool_leaves_nothing(
    server: RunningServer, upstream: ScriptedUpstream, scribe: str, ask: Ask
) -> None:
    ctx = context(server.services)
    agents = (await list_agents(ctx, PageRequest())).rows
    [agent] = (agent for agent in agents if agent.key == scribe)
    tools = AgentPatch.model_validate({"tools_config": {"allow": ["list_files"]}})
    await update_agent(ctx, agent.id, tools)
    for _ in range(2):
        upstream.reply(calls=(call("list_files", path="."),))
        upstream.reply("Nothing there.")
    await ask()
    with left_behind() as kinds:
        await ask()
        await server.services.traces.flush()
    assert kinds == []
    assert len(upstream.requests) == 4
