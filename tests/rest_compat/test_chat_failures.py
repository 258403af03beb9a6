"""Chat completions that do not end well: vendors that fail, clients that leave or do not read."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai as api
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from goclaw.cli.connection import Connection
from goclaw.core.paging import PageRequest
from goclaw.models.runs import RunStatus
from goclaw.resolvers.runs import list_runs
from goclaw.rest_compat import live_response
from tests.support.callers import context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello?"}]


async def status_of_last_run(server: RunningServer) -> RunStatus:
    [run] = (await list_runs(context(server.services), PageRequest(1))).rows
    return RunStatus(run.status)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "error", "status"),
    [
        ({"status": 401}, api.APIStatusError, 502),
        ({"status": 429, "headers": (("Retry-After", "7"),)}, api.RateLimitError, 429),
        ({"status": 500}, api.InternalServerError, 502),
        ({"raw": b"<html>"}, api.InternalServerError, 502),
        ({"drop": True}, api.InternalServerError, 502),
    ],
)
async def test_a_vendor_that_fails_before_its_first_word(
    openai: AsyncOpenAI,
    upstream: ScriptedUpstream,
    server: RunningServer,
    scribe: str,
    stream: bool,
    script: dict[str, Any],
    error: type[api.APIStatusError],
    status: int,
) -> None:
    for _ in range(3):
        upstream.reply(**script)
    with pytest.raises(error) as raised:
        await openai.chat.completions.create(model=scribe, messages=HELLO, stream=stream)
    failure = raised.value
    assert failure.status_code == status
    assert isinstance(failure.body, dict)
    assert set(failure.body) == {"message", "type", "param", "code"}
    assert "sk-upstream-secret" not in failure.message
    assert failure.response.headers["x-goclaw-run-id"]
    if status == 429:
        assert failure.response.headers["retry-after"] == "7"
    assert await status_of_last_run(server) == RunStatus.ERROR


@pytest.mark.parametrize(
    "script", [{"cut_after": 2}, {"error_after": 2}, {"cut_after": 2, "abort": True}]
)
async def test_a_vendor_that_fails_later_never_looks_like_an_answer(
    openai: AsyncOpenAI,
    upstream: ScriptedUpstream,
    server: RunningServer,
    scribe: str,
    script: dict[str, Any],
) -> None:
    upstream.reply(text="One two three four", deltas=4, every=0.01, **script)
    stream = await openai.chat.completions.create(model=scribe, messages=HELLO, stream=True)
    chunks: list[ChatCompletionChunk] = []
    with pytest.raises(api.APIError):
        await _collect(stream, chunks)
    assert any(chunk.choices[0].delta.content for chunk in chunks)
    assert {chunk.choices[0].finish_reason for chunk in chunks} == {None}
    assert await status_of_last_run(server) == RunStatus.ERROR


async def _collect(
    stream: AsyncIterator[ChatCompletionChunk], chunks: list[ChatCompletionChunk]
) -> None:
    async for chunk in stream:
        chunks.append(chunk)  # noqa: PERF401 - what came before the error counts


async def test_a_broken_stream_has_no_done(
    client: httpx2.AsyncClient, upstream: ScriptedUpstream, scribe: str
) -> None:
    upstream.reply(text="One two three four", deltas=4, every=0.01, cut_after=2)
    body = {"model": scribe, "stream": True, "messages": HELLO}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert answer.text.rpartition("data: ")[2].startswith('{"error":{"message":')
    assert "[DONE]" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
async def test_hanging_up_cancels_the_call(
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    server: RunningServer,
    scribe: str,
    stream: bool,
) -> None:
    script: dict[str, Any] = {"every": 0.05, "deltas": 400} if stream else {"head_after": 30}
    upstream.reply(text="word " * 500, **script)
    body = {"model": scribe, "stream": stream, "messages": HELLO}
    with pytest.raises(httpx2.TimeoutException):
        await _read(client, body, read_s=None if stream else 0.3, give_up_s=0.5)
    await upstream.until_hung_up()
    async with asyncio.timeout(5):
        while await status_of_last_run(server) is RunStatus.RUNNING:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert await status_of_last_run(server) == RunStatus.CANCELLED


async def _read(
    client: httpx2.AsyncClient, body: Any, *, read_s: float | None, give_up_s: float
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + give_up_s
    async with client.stream(
        "POST", "/v1/chat/completions", json=body, timeout=httpx2.Timeout(5, read=read_s)
    ) as answer:
        async for _ in answer.aiter_bytes():
            if loop.time() > end:
                raise httpx2.ReadTimeout("enough")


async def test_a_silent_model_is_bridged_by_comments(
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    scribe: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_response, "KEEP_ALIVE_S", 0.1)
    upstream.reply(text="At last.", first_after=0.5, deltas=1)
    body = {"model": scribe, "stream": True, "messages": HELLO}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.text.startswith(": keep-alive\n\n")
    assert answer.text.count(": keep-alive") >= 3
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_a_client_that_does_not_read_is_given_up(
    server: RunningServer,
    upstream: ScriptedUpstream,
    scribe: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_response, "KEEP_ALIVE_S", 0.2)
    monkeypatch.setattr(Connection, "_longest_write", 0.3)
    upstream.reply(text="x" * 40_000_000, deltas=400)
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    body = b'{"model":"scribe","stream":true,"messages":[{"role":"user","content":"Go."}]}'
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-GoClaw-User-Id: ada\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
        % (server.token.encode(), len(body), body)
    )
    await upstream.until_hung_up(timeout_s=20)
    writer.close()
    del reader
