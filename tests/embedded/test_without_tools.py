"""Agents of the embedded model have no tools, and whoever brings some is told so."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest_asyncio

from goclaw.core.host import Host, LocalModel
from tests.doors.calling import Caller
from tests.support.server import running_server
from tests.upstream import ScriptedUpstream

OPEN_DOOR = {"type": "function", "function": {"name": "open_door", "parameters": {}}}


@pytest_asyncio.fixture
async def ada(host: Host, upstream: ScriptedUpstream) -> AsyncIterator[Caller]:
    """With a scripted model in place of the embedded one, and tools for all agents."""
    model = LocalModel(base_url=upstream.base_url(), api_key="k" * 40)
    settings = host.settings.model_copy(update={"tools_profile": "full"})
    embedding = replace(host, settings=settings, local_model=model, local_model_missing="")
    async with running_server(embedding) as server, aiohttp.ClientSession() as http:
        yield Caller(http, server.url, server.token, "ada")


async def test_it_is_offered_none(ada: Caller, upstream: ScriptedUpstream) -> None:
    answer = await ada.chat(model="default")
    assert answer.status == 200, answer.text
    said = [r.body for r in upstream.requests if r.body["messages"][-1]["content"] == "Hello?"]
    assert len(said) == 1
    assert "tools" not in said[0]
    assert "# Tools" not in said[0]["messages"][0]["content"]


async def test_who_brings_tools_is_told(ada: Caller, upstream: ScriptedUpstream) -> None:
    answer = await ada.chat(model="default", tools=[OPEN_DOOR])
    assert (answer.status, answer.code) == (400, "model_without_tools"), answer.text
    assert "cannot call tools" in answer.text
    assert not [r for r in upstream.requests if r.body["messages"][-1]["content"] == "Hello?"]
