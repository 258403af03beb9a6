"""Chat completions as OpenAI's own client sees them."""

import asyncio
from typing import Any, Self
from uuid import UUID

import httpx2
import openai as api
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from goclaw.core.paging import PageRequest
from goclaw.resolvers.runs import list_runs
from tests.support.callers import context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream
from tests.upstream.script import Call

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello?"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}},
    }
]


async def test_an_answer(openai: AsyncOpenAI, upstream: ScriptedUpstream, scribe: str) -> None:
    upstream.reply(text="Hello, Ada.")
    raw = await openai.chat.completions.with_raw_response.create(
        model=f"goclaw:{scribe}", messages=HELLO
    )
    answer = raw.parse()
    [choice] = answer.choices
    assert (choice.message.role, choice.message.content) == ("assistant", "Hello, Ada.")
    assert choice.finish_reason == "stop"
    assert (answer.object, answer.model) == ("chat.completion", "goclaw:scribe")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (12, 19)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 4
    run_id = UUID(raw.headers["x-goclaw-run-id"])
    assert answer.id == f"chatcmpl-{run_id.hex}"
    UUID(raw.headers["x-goclaw-session-id"])
    assert raw.headers["x-request-id"]


async def test_a_stream(openai: AsyncOpenAI, upstream: ScriptedUpstream, scribe: str) -> None:
    upstream.reply(text="One two three", deltas=3)
    chunks = [
        chunk
        async for chunk in await openai.chat.completions.create(
            model=scribe, messages=HELLO, stream=True
        )
    ]
    assert chunks[0].choices[0].delta.role == "assistant"
    said = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(said) == "One two three"
    assert len([text for text in said if text]) == 3
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 4 + ["stop"]
    assert {chunk.model for chunk in chunks} == {"scribe"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


async def test_usage_at_the_end_of_a_stream(
    openai: AsyncOpenAI, upstream: ScriptedUpstream, scribe: str
) -> None:
    chunks = [
        chunk
        async for chunk in await openai.chat.completions.create(
            model=scribe, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    ]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 19
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_deltas_come_as_they_are_said(
    openai: AsyncOpenAI, upstream: ScriptedUpstream, scribe: str
) -> None:
    upstream.reply(text="One two three four", deltas=4, every=0.1)
    loop = asyncio.get_running_loop()
    times = [
        loop.time()
        async for chunk in await openai.chat.completions.create(
            model=scribe, messages=HELLO, stream=True
        )
        if chunk.choices[0].delta.content
    ]
    assert len(times) == 4
    assert times[-1] - times[0] > 0.25


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_calls_go_to_the_client(
    openai: AsyncOpenAI, upstream: ScriptedUpstream, scribe: str, stream: bool
) -> None:
    upstream.reply(calls=(Call("look_up", '{"word": "ü"}'), Call("look_up", "{}", id="call_2")))
    async with (
        openai.chat.completions.stream(model=scribe, messages=HELLO, tools=TOOLS)
        if stream
        else _Answer(openai, scribe) as answer
    ):
        completion = await answer.get_final_completion()
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    calls: Any = choice.message.tool_calls
    assert [(c.id, c.function.name, c.function.arguments) for c in calls] == [
        ("call_1", "look_up", '{"word": "ü"}'),
        ("call_2", "look_up", "{}"),
    ]
    assert upstream.requests[-1].body["tools"] == TOOLS


class _Answer:
    """What the stream helper offers, for an answer in one piece."""

    def __init__(self, openai: AsyncOpenAI, model: str) -> None:
        self._openai = openai
        self._model = model

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def get_final_completion(self) -> Any:
        return await self._openai.chat.completions.create(
            model=self._model, messages=HELLO, tools=TOOLS
        )


async def test_what_was_posted_reaches_the_model(
    openai: AsyncOpenAI, upstream: ScriptedUpstream, scribe: str
) -> None:
    image = "data:image/png;base64,iVBORw0KGgo="
    await openai.chat.completions.create(
        model=scribe,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One?", "name": "ada"},
            {"role": "assistant", "content": "One."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": image}},
                ],
            },
        ],
        temperature=0.5,
        top_p=0.9,
        stop=["END"],
        max_completion_tokens=50,
        seed=7,
        response_format={"type": "json_object"},
    )
    body = upstream.requests[-1].body
    said = [(message["role"], message["content"]) for message in body["messages"]]
    assert said[0] == ("system", "Write.")
    assert said[1:4] == [("system", "Be brief."), ("user", "One?"), ("assistant", "One.")]
    assert said[4][1][1]["image_url"]["url"] == image
    assert body["messages"][2]["name"] == "ada"
    assert (body["temperature"], body["top_p"], body["stop"], body["seed"]) == (
        0.5,
        0.9,
        ["END"],
        7,
    )
    assert body["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"messages": []}, "invalid_input", "messages"),
        ({}, "required", "messages"),
        ({"messages": [{"role": "king", "content": "x"}]}, "invalid_input", "messages.0.role"),
        ({"messages": [{"role": "user", "content": "a\0"}]}, "invalid_input", "messages.0.content"),
        ({"messages": [{"role": "user"}]}, "required", "messages.0.content"),
        ({"messages": HELLO, "n": 2}, "invalid_input", "n"),
        ({"messages": HELLO, "temperature": "hot"}, "invalid_input", "temperature"),
        ({"messages": HELLO, "user": ""}, "invalid_input", "user"),
    ],
)
async def test_bad_bodies(
    client: httpx2.AsyncClient, scribe: str, body: Any, code: str, param: str
) -> None:
    answer = await client.post("/v1/chat/completions", json={"model": scribe, **body})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert error["type"] == "invalid_request_error"


async def test_unknown_fields_are_left_alone(client: httpx2.AsyncClient, scribe: str) -> None:
    body = {"model": scribe, "messages": HELLO, "store": True, "metadata": {"a": "b"}}
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer wrong"}, 401, "invalid_credential"),
        ({"Authorization": ""}, 401, "unauthenticated"),
        ({"Content-Type": "text/plain"}, 415, "unsupported_media"),
    ],
)
async def test_refusals_are_in_openais_format(
    client: httpx2.AsyncClient, scribe: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await client.post("/v1/chat/completions", json={"messages": HELLO}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("model", "headers", "status"),
    [
        ("goclaw:scribe", {}, 200),
        ("agent:scribe", {}, 200),
        ("scribe", {}, 200),
        ("gpt-4o", {"X-GoClaw-Agent-Id": "scribe"}, 200),
        ("gpt-4o", {"X-GoClaw-Agent": "scribe"}, 200),
        ("goclaw:scribe", {"X-GoClaw-Agent-Id": "nobody"}, 200),
        ("goclaw:nobody", {}, 404),
        ("agent:", {}, 404),
        ("gpt-4o", {"X-GoClaw-Agent-Id": "nobody"}, 404),
    ],
)
async def test_which_agent_is_meant(
    client: httpx2.AsyncClient, scribe: str, model: str, headers: dict[str, str], status: int
) -> None:
    body = {"model": model, "messages": HELLO}
    answer = await client.post("/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["model"] == model
    else:
        assert answer.json()["error"]["code"] == "agent_not_found"


async def test_models_are_agents(openai: AsyncOpenAI, scribe: str) -> None:
    models = [model async for model in await openai.models.list()]
    assert "scribe" in [model.id for model in models]
    assert (await openai.models.retrieve("scribe")).owned_by == "ada"
    with pytest.raises(api.NotFoundError):
        await openai.models.retrieve("nobody")


async def test_the_user_of_a_body_counts_where_no_header_names_one(
    server: RunningServer, scribe: str
) -> None:
    async with AsyncOpenAI(
        base_url=f"{server.url}/v1", api_key=server.token, max_retries=0
    ) as nobody:
        await nobody.chat.completions.create(model=scribe, messages=HELLO, user="ada")
        assert (await list_runs(context(server.services), PageRequest())).rows
        with pytest.raises(api.NotFoundError):
            await nobody.chat.completions.create(model="goclaw:scribe", messages=HELLO, user="eve")
