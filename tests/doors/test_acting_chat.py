"""Chat completions of an agent that acts: the client sees one answer."""

from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest
import pytest_asyncio

from goclaw.core.host import Host
from tests.runtime.acting import Bench, every_agent_has
from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream, Usage, call

ASKED = {"model": "goclaw:scribe", "messages": [{"role": "user", "content": "What is it like?"}]}


@pytest_asyncio.fixture
async def acting(
    host: Host, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningServer]:
    every_agent_has(Bench(), monkeypatch)
    async with running_server(host) as server:
        await add_agent(server.services, await add_provider(server.services, upstream))
        yield server


async def posted(server: RunningServer, **more: object) -> aiohttp.ClientResponse:
    headers = {"Authorization": f"Bearer {server.token}", "X-GoClaw-User-Id": "ada"}
    async with aiohttp.ClientSession(headers=headers) as client:
        answer = await client.post(f"{server.url}/v1/chat/completions", json={**ASKED, **more})
        await answer.read()
        return answer


async def test_a_stream_is_one_answer(acting: RunningServer, upstream: ScriptedUpstream) -> None:
    upstream.reply(calls=(call("weather"),), said_before="Let me look.", usage=Usage(10, 5, 2))
    upstream.reply("Sunny.", usage=Usage(30, 3, 20))
    answer = await posted(acting, stream=True, stream_options={"include_usage": True})
    lines = [line for line in (await answer.read()).split(b"\n\n") if line]
    assert lines.pop() == b"data: [DONE]"
    chunks = [orjson.loads(line.removeprefix(b"data: ")) for line in lines]
    assert len({chunk["id"] for chunk in chunks}) == 1
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert text == "Let me look.\n\nSunny."
    assert not any("tool_calls" in choice["delta"] for choice in choices)
    assert [c["finish_reason"] for c in choices if c["finish_reason"]] == ["stop"]
    assert [chunk["usage"]["total_tokens"] for chunk in chunks if chunk["usage"]] == [48]


async def test_a_whole_answer_is_one(acting: RunningServer, upstream: ScriptedUpstream) -> None:
    upstream.reply(calls=(call("weather"),), said_before="Let me look.")
    upstream.reply("Sunny.")
    body = await (await posted(acting)).json()
    [choice] = body["choices"]
    assert choice["message"]["content"] == "Let me look.\n\nSunny."
    assert "tool_calls" not in choice["message"]
    assert body["usage"]["prompt_tokens"] == 24


async def test_what_has_acted_is_not_to_be_asked_again(
    acting: RunningServer, upstream: ScriptedUpstream
) -> None:
    upstream.fail(500)
    answer = await posted(acting)
    assert answer.status == 502
    assert "x-should-retry" not in answer.headers
    upstream.reply(calls=(call("weather"),))
    upstream.fail(500)
    for stream in (False, True):
        upstream.reply(calls=(call("weather"),))
        upstream.fail(500)
        answer = await posted(acting, stream=stream)
        assert (answer.status, answer.headers.get("x-should-retry")) == (502, "false")
        assert (await answer.json())["error"]["code"] == "upstream_failed"
