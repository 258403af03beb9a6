"""The vendors' own clients read what the scripted servers send: the servers can be believed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from pydantic import BaseModel

from tests.upstream import Script, ScriptedUpstream, Usage, call

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


SEALED: dict[str, Any] = {
    "thinking": "six times seven",
    "signature": "c2VhbGVk" * 20,
    "redacted": "b3BhcXVl",
    "said_before": "Let me look.",
    "calls": CALLS,
    "usage": Usage(100, 40, cached=30, reasoning=25, written=20),
}


async def test_anthropics_client_reads_sealed_thinking_and_every_count(
    upstream: ScriptedUpstream,
) -> None:
    async with anthropic.AsyncAnthropic(api_key="k", base_url=upstream.url) as client:
        messages: Any = [{"role": "user", "content": "hi"}]
        upstream.reply(**SEALED)
        whole = await client.messages.create(model="m", max_tokens=99, messages=messages)
        upstream.reply(**SEALED, split=7)
        async with client.messages.stream(model="m", max_tokens=99, messages=messages) as stream:
            final = await stream.get_final_message()
        for message in (whole, final):
            thought, redacted, text, *calls = message.content
            assert thought.type == "thinking"
            assert (thought.thinking, thought.signature) == ("six times seven", "c2VhbGVk" * 20)
            assert redacted.type == "redacted_thinking"
            assert redacted.data == "b3BhcXVl"
            assert text.type == "text"
            assert [call.type for call in calls] == ["tool_use", "tool_use"]
            usage = message.usage
            assert (usage.input_tokens, usage.cache_read_input_tokens) == (50, 30)
            assert usage.cache_creation_input_tokens == 20
            assert usage.output_tokens_details is not None
            assert usage.output_tokens_details.thinking_tokens == 25


async def test_openais_client_reads_every_count(upstream: ScriptedUpstream) -> None:
    async with openai.AsyncOpenAI(api_key="k", base_url=upstream.base_url()) as client:
        upstream.reply(**SEALED)
        messages: Any = [{"role": "user", "content": "hi"}]
        whole = await client.chat.completions.create(model="m", messages=messages)
        assert whole.choices[0].message.content == "Let me look."
        assert whole.usage is not None
        assert whole.usage.prompt_tokens_details is not None
        assert whole.usage.prompt_tokens_details.cached_tokens == 30
        assert whole.usage.prompt_tokens_details.cache_write_tokens == 20
        assert whole.usage.completion_tokens_details is not None
        assert whole.usage.completion_tokens_details.reasoning_tokens == 25


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_googles_client_reads_signatures_and_every_count(upstream: ScriptedUpstream) -> None:
    options = genai.types.HttpOptions(base_url=upstream.url, api_version="v1beta")
    async with genai.Client(api_key="k", http_options=options).aio as aio:
        upstream.reply(**SEALED)
        whole = await aio.models.generate_content(model="m", contents="hi")
        assert whole.candidates
        assert whole.candidates[0].content is not None
        parts = whole.candidates[0].content.parts
        assert parts is not None
        thought, text, first, second = parts
        assert (thought.thought, thought.text) == (True, "six times seven")
        assert text.text == "Let me look."
        assert first.thought_signature is not None
        assert second.thought_signature is None
        counts = whole.usage_metadata
        assert counts is not None
        assert (counts.thoughts_token_count, counts.candidates_token_count) == (25, 15)
        assert counts.cached_content_token_count == 30


class Structured(BaseModel):
    """A form each of the clients makes a schema of in its own way."""

    city: str
    zip: int


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_the_clients_read_an_answer_in_a_form(upstream: ScriptedUpstream) -> None:
    upstream.default = Script('{"city": "Bern", "zip": 3000}')
    bern = Structured(city="Bern", zip=3000)
    messages: Any = [{"role": "user", "content": "hi"}]
    async with openai.AsyncOpenAI(api_key="k", base_url=upstream.base_url()) as client:
        answer = await client.chat.completions.parse(
            model="m", messages=messages, response_format=Structured
        )
        assert answer.choices[0].message.parsed == bern
    async with anthropic.AsyncAnthropic(api_key="k", base_url=upstream.url) as other:
        parsed = await other.messages.parse(
            model="m", max_tokens=99, messages=messages, output_format=Structured
        )
        assert parsed.parsed_output == bern
    config = genai.types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=Structured
    )
    options = genai.types.HttpOptions(base_url=upstream.url, api_version="v1beta")
    async with genai.Client(api_key="k", http_options=options).aio as aio:
        reply = await aio.models.generate_content(model="m", contents="hi", config=config)
        assert reply.parsed == bern
