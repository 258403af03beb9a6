"""The vendors' own clients read what the scripted servers send: the servers can be believed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai

from tests.upstream import ScriptedUpstream, Usage, call

CALLS = (call("weather", "call_a", city="Zürich"), call("now", "call_b"))
USAGE = Usage(20, 9, 5)


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as up:
        yield up


async def test_openai(upstream: ScriptedUpstream) -> None:
    async with openai.AsyncOpenAI(
        api_key="k", base_url=upstream.base_url(), max_retries=0
    ) as client:

        async def ask(**options: Any) -> Any:
            messages: Any = [{"role": "user", "content": "hi"}]
            return await client.chat.completions.create(model="m", messages=messages, **options)

        upstream.reply("Grüße 🌍", usage=USAGE)
        whole = await ask()
        assert whole.choices[0].message.content == "Grüße 🌍"
        assert whole.usage.prompt_tokens_details.cached_tokens == 5
        upstream.reply("Grüße 🌍", split=3, keep_alives=True)
        chunks = [chunk async for chunk in await ask(stream=True)]
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Grüße 🌍"
        upstream.reply(calls=CALLS)
        message = (await ask()).choices[0].message
        assert [c.id for c in message.tool_calls] == ["call_a", "call_b"]
        upstream.fail(429, retry_after=7)
        with pytest.raises(openai.RateLimitError) as caught:
            await ask()
        assert caught.value.response.headers["retry-after"] == "7"
        upstream.reply("abcd", error_after=1)
        with pytest.raises(openai.APIError):
            _ = [chunk async for chunk in await ask(stream=True)]
        assert [m.id async for m in client.models.list()] == upstream.model_names


async def test_openais_accumulated_stream(upstream: ScriptedUpstream) -> None:
    async with openai.AsyncOpenAI(api_key="k", base_url=upstream.base_url()) as client:
        upstream.reply(calls=CALLS)
        messages: Any = [{"role": "user", "content": "hi"}]
        async with client.chat.completions.stream(
            model="m", messages=messages, stream_options={"include_usage": True}
        ) as stream:
            final = await stream.get_final_completion()
        choice = final.choices[0]
        assert choice.finish_reason == "tool_calls"
        given = [json.loads(c.function.arguments) for c in choice.message.tool_calls or ()]
        assert given == [{"city": "Zürich"}, {}]
        assert final.usage is not None


async def test_anthropic(upstream: ScriptedUpstream) -> None:
    async with anthropic.AsyncAnthropic(
        api_key="k", base_url=upstream.url, max_retries=0
    ) as client:
        ask: Any = {
            "model": "m",
            "max_tokens": 99,
            "messages": [{"role": "user", "content": "hi"}],
        }
        upstream.reply("Grüße 🌍", thinking="hm", usage=USAGE)
        whole = await client.messages.create(**ask)
        assert [block.type for block in whole.content] == ["thinking", "text"]
        assert whole.usage.cache_read_input_tokens == 5
        upstream.reply(thinking="hm", calls=CALLS, split=5)
        async with client.messages.stream(**ask) as stream:
            final = await stream.get_final_message()
        assert final.stop_reason == "tool_use"
        assert [b.input for b in final.content if b.type == "tool_use"] == [{"city": "Zürich"}, {}]
        upstream.fail(429)
        with pytest.raises(anthropic.RateLimitError):
            await client.messages.create(**ask)
        upstream.reply("abcd", error_after=1)
        with pytest.raises(anthropic.APIStatusError):
            async with client.messages.stream(**ask) as stream:
                await stream.get_final_message()
        assert [m.id async for m in client.models.list()] == upstream.model_names


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_google_genai(upstream: ScriptedUpstream) -> None:
    options = genai.types.HttpOptions(base_url=upstream.url, api_version="v1beta")
    client = genai.Client(api_key="k", http_options=options)
    async with client.aio as aio:
        upstream.reply("Grüße 🌍", usage=USAGE)
        whole = await aio.models.generate_content(model="m", contents="hi")
        assert whole.text == "Grüße 🌍"
        assert whole.usage_metadata is not None
        assert whole.usage_metadata.cached_content_token_count == 5
        upstream.reply("Grüße 🌍", split=3, crlf=True)
        stream = await aio.models.generate_content_stream(model="m", contents="hi")
        assert "".join([chunk.text or "" async for chunk in stream]) == "Grüße 🌍"
        upstream.reply(calls=CALLS)
        reply = await aio.models.generate_content(model="m", contents="hi")
        assert [(c.id, c.args) for c in reply.function_calls or ()] == [
            ("call_a", {"city": "Zürich"}),
            ("call_b", {}),
        ]
        upstream.fail(429)
        with pytest.raises(genai.errors.ClientError) as caught:
            await aio.models.generate_content(model="m", contents="hi")
        assert caught.value.code == 429
