"""What every provider type does, against servers that speak its vendor's protocol."""

import asyncio
import time
import traceback
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from goclaw.core.errors import GatewayError, RateLimited, UpstreamFailed, UpstreamTimeout
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig, Timeouts
from goclaw.providers.messages import (
    Delta,
    ImagePart,
    ModelMessage,
    ModelRequest,
    Reply,
    TextPart,
    ToolCall,
)
from goclaw.providers.registry import VENDORS, open_client
from goclaw.providers.replies import ReplyBuilder
from goclaw.security.outbound import OutboundClient
from tests.providers.conftest import KEY, QUICK, OpenClient
from tests.upstream import Script, ScriptedUpstream, Usage, call

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


def ask(text: str = "hi", **options: Any) -> ModelRequest:
    return ModelRequest("scripted-small", [ModelMessage("user", text)], **options)


async def bursts(client: ModelClient, request: ModelRequest) -> list[list[Delta]]:
    return [burst async for burst in client.stream(request)]


async def streamed(client: ModelClient, request: ModelRequest) -> Reply:
    builder = ReplyBuilder()
    for burst in await bursts(client, request):
        for delta in burst:
            builder.add(delta)
    return builder.reply()


async def whole(client: ModelClient, request: ModelRequest) -> Reply:
    return await client.complete(request)


Way = Callable[[ModelClient, ModelRequest], Any]
both_ways = pytest.mark.parametrize("way", [whole, streamed])


@both_ways
async def test_text_finish_and_usage(
    client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.reply("Grüße, 世界 🌍!", usage=Usage(20, 9, 5), usage_unasked=True)
    reply = await way(client, ask())
    assert (reply.content, reply.finish_reason) == ("Grüße, 世界 🌍!", "stop")
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (20, 9)
    assert reply.usage.cached_tokens == 5
    assert upstream.requests[0].stream is (way is streamed)


async def test_the_vendors_model_name_is_told(client: ModelClient) -> None:
    assert (await client.complete(ask())).model == "scripted-small"


@both_ways
async def test_thinking_is_apart(client: ModelClient, upstream: ScriptedUpstream, way: Way) -> None:
    upstream.reply("42", thinking="six times seven")
    reply = await way(client, ask())
    assert (reply.thinking, reply.content) == ("six times seven", "42")


@both_ways
async def test_parallel_calls_with_arguments_in_pieces(
    client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    calls = (
        call("weather", "call_a", city="Zürich", days=[1, 2]),
        call("weather", "call_b", pieces=7, city="Bern"),
        call("now", "call_c"),
    )
    upstream.reply(calls=calls)
    reply = await way(client, ask(tools=[WEATHER]))
    assert reply.finish_reason == "tool_calls"
    assert [(c.id, c.name) for c in reply.tool_calls] == [(c.id, c.name) for c in calls]
    got = [c.arguments.replace(" ", "") for c in reply.tool_calls]
    assert got == [c.arguments.replace(" ", "") for c in calls]


@both_ways
@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_finish_reasons(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, finish: str
) -> None:
    upstream.reply("cut", finish=finish)
    assert (await way(client, ask())).finish_reason == finish


async def test_deltas_come_as_they_are_written(
    client: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("abcdef", deltas=6, every=0.05)
    seen = []
    async with aclosing(client.stream(ask())) as stream:
        async for burst in stream:
            seen += [(time.monotonic(), delta.text) for delta in burst if delta.text]
    assert [text for _, text in seen] == list("abcdef")
    assert seen[-1][0] - seen[0][0] > 0.2


async def test_a_burst_is_one_step(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("x" * 200, deltas=50, burst=True)
    steps = await bursts(client, ask())
    assert len(steps) < 5
    assert sum(len(step) for step in steps) >= 50


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("form", [{}, {"crlf": True}, {"blank": False}, {"keep_alives": True}])
async def test_events_may_be_cut_anywhere(
    client: ModelClient, upstream: ScriptedUpstream, size: int, form: dict[str, bool]
) -> None:
    upstream.reply("naïve 日本 🌍", deltas=4, split=size, **form)
    reply = await streamed(client, ask())
    assert (reply.content, reply.finish_reason) == ("naïve 日本 🌍", "stop")


async def test_empty_deltas_and_comments_make_no_step(
    client: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("abc", deltas=3, keep_alives=True, every=0.01)
    for burst in await bursts(client, ask()):
        for delta in burst:
            assert delta.text or delta.finish_reason or delta.usage


async def test_no_usage_is_not_zero(open_type: OpenClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("x", usage=None)
    upstream.reply("x", usage=None)
    client = open_type("openai_compat")
    assert (await client.complete(ask())).usage is None
    assert (await streamed(client, ask())).usage is None


async def code_of(awaitable: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await awaitable
    assert_keyless(caught.value)
    return caught.value


def assert_keyless(error: BaseException) -> None:
    assert KEY not in "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        assert KEY not in f"{seen} {seen!r} {vars(seen)}"
        seen = seen.__cause__ or seen.__context__


@both_ways
@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (400, "upstream_refused", 502),
        (404, "upstream_refused", 502),
        (422, "upstream_refused", 502),
        (401, "upstream_credential", 502),
        (403, "upstream_credential", 502),
        (429, "upstream_rate_limited", 429),
        (500, "upstream_failed", 502),
        (503, "upstream_failed", 502),
        (529, "upstream_failed", 502),
    ],
)
async def test_refusals(
    client: ModelClient,
    upstream: ScriptedUpstream,
    way: Way,
    status: int,
    code: str,
    ours: int,
) -> None:
    upstream.fail(status, f"no, not with {KEY} or {KEY[:12]}")
    error = await code_of(way(client, ask()))
    assert (error.code, error.status, error.params["status"]) == (code, ours, status)
    assert KEY[:12] not in str(error)
    assert "mine" in str(error)
    if code in ("upstream_refused", "upstream_failed"):
        assert "no, not with ***" in str(error)


@both_ways
async def test_a_long_reason_is_cut(
    client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.fail(400, "y" * 290 + KEY + "z" * 5000)
    error = await code_of(way(client, ask()))
    assert len(str(error.params["reason"])) == 300
    assert KEY[:8] not in str(error)


@both_ways
@pytest.mark.parametrize("fault", ["refusal", "silence", "not http", "refused host"])
async def test_no_key_in_a_traceback_with_local_variables(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream, way: Way, fault: str
) -> None:
    client = open_type(provider_type, Timeouts(first_token_s=0.2, total_s=0.2))
    match fault:
        case "refusal":
            upstream.fail(500)
        case "silence":
            upstream.silence()
        case "not http":
            upstream.garbage(headers=(("Bad", "x" * 20_000),))
        case "refused host":
            client._outbound = OutboundClient()  # type: ignore[attr-defined]
            await client._outbound.open()  # type: ignore[attr-defined]
            client._vendor = VENDORS["groq"]  # type: ignore[attr-defined]
    error = await code_of(way(client, ask()))
    if fault == "refused host":
        assert error.code == "host_refused"
        await client._outbound.close()  # type: ignore[attr-defined]
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert KEY not in "".join(shown.format())


async def test_retry_after(client: ModelClient, upstream: ScriptedUpstream) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    for given, low, high in (("7", 7, 7), ("0.2", 1, 1), (later, 28, 31), ("soon", 5, 5)):
        upstream.fail(429, retry_after=given)
        error = await code_of(client.complete(ask()))
        assert isinstance(error, RateLimited)
        assert error.retry_after_s is not None
        assert low <= error.retry_after_s <= high, given


@both_ways
@pytest.mark.parametrize(
    "raw", [b"<html>hello</html>", b"data: {oops}\n\n", b"null", b"[]", b'{"choices": 3}']
)
async def test_garbage(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, raw: bytes
) -> None:
    upstream.garbage(raw)
    error = await code_of(way(client, ask()))
    assert (error.code, error.status) == ("upstream_garbage", 502)


async def test_an_empty_body(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.garbage(b"")
    assert (await code_of(client.complete(ask()))).code == "upstream_garbage"
    upstream.garbage(b"", content_type="text/event-stream")
    assert (await code_of(streamed(client, ask()))).code == "upstream_cut"


@both_ways
async def test_no_answer_at_all(client: ModelClient, upstream: ScriptedUpstream, way: Way) -> None:
    upstream.drop()
    assert (await code_of(way(client, ask()))).code == "upstream_unreachable"


async def test_nobody_listens(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    client = open_type(provider_type)
    await upstream.stop()
    error = await code_of(client.complete(ask()))
    assert isinstance(error, UpstreamFailed)
    assert error.code == "upstream_unreachable"


@pytest.mark.parametrize("abort", [False, True])
@pytest.mark.parametrize("after", [0, 2])
async def test_a_cut_stream_is_no_answer(
    client: ModelClient, upstream: ScriptedUpstream, abort: bool, after: int
) -> None:
    upstream.reply("abcd", deltas=4, every=0.02, cut_after=after, abort=abort)
    got: list[str] = []

    async def read() -> None:
        async for burst in client.stream(ask()):
            got.extend(delta.text for delta in burst if delta.text)

    assert (await code_of(read())).code == "upstream_cut"
    assert "".join(got) == "abcd"[:after]


async def test_a_cut_body(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("abcd", cut_after=1)
    assert (await code_of(client.complete(ask()))).code == "upstream_cut"


async def test_an_error_inside_a_stream(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("abcd", deltas=4, error_after=2, message=f"out of memory {KEY}")
    error = await code_of(streamed(client, ask()))
    assert error.code == "upstream_failed"
    assert "out of memory ***" in str(error)


async def test_a_silent_vendor(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.silence()
    began = time.monotonic()
    error = await code_of(streamed(client, ask()))
    assert isinstance(error, UpstreamTimeout)
    assert time.monotonic() - began < 1.5
    await upstream.until_hung_up()


async def test_a_silent_vendor_while_not_streaming(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    upstream.silence()
    client = open_type(provider_type, Timeouts(total_s=0.3))
    assert (await code_of(client.complete(ask()))).code == "upstream_timeout"
    await upstream.until_hung_up()


async def test_a_pause_between_deltas(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("ab", deltas=2, every=5)
    error = await code_of(streamed(client, ask()))
    assert (error.code, error.params["timeout_s"]) == ("upstream_timeout", "0.3")
    await upstream.until_hung_up()


async def test_a_slow_reader_is_no_silent_vendor(
    client: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("abcd", deltas=4, every=0.01)
    got = []
    async with aclosing(client.stream(ask())) as stream:
        async for burst in stream:
            await asyncio.sleep(QUICK.between_s + 0.1)
            got += [delta.text for delta in burst]
    assert "".join(got) == "abcd"


async def test_a_stream_that_never_ends(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("x" * 1000, deltas=1000, every=0.02)
    client = open_type(provider_type, Timeouts(total_s=0.3))
    error = await code_of(streamed(client, ask()))
    assert (error.code, error.params["timeout_s"]) == ("upstream_timeout", "0.3")
    await upstream.until_hung_up()


async def test_a_slow_first_byte_within_the_limit(
    client: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("late", head_after=0.2)
    assert (await streamed(client, ask())).content == "late"


async def test_closing_the_stream_hangs_up(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("x" * 100, deltas=100, every=0.05)
    async with aclosing(client.stream(ask())) as stream:
        await anext(stream)
    await upstream.until_hung_up(timeout_s=1)


SILENT = Script(silent=True)
PACED = Script("x" * 100, 100, every=0.05)


@pytest.mark.parametrize(
    ("way", "script"), [(whole, SILENT), (streamed, SILENT), (streamed, PACED)]
)
async def test_cancelling_hangs_up(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream, script: Script, way: Way
) -> None:
    upstream.default = script
    client = open_type(provider_type, Timeouts())
    task = asyncio.create_task(way(client, ask()))
    await upstream.until(lambda: upstream.open == 1)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upstream.until_hung_up(timeout_s=1)


@both_ways
async def test_connections_are_kept(
    client: ModelClient, upstream: ScriptedUpstream, outbound: OutboundClient, way: Way
) -> None:
    for _ in range(5):
        await way(client, ask())
        await asyncio.sleep(0.01)
    pools = [s.connector for s in (outbound._checked, outbound._unchecked) if s is not None]
    kept = [conn for pool in pools if pool for conns in pool._conns.values() for conn in conns]
    assert len(kept) == 1


async def test_models(client: ModelClient, upstream: ScriptedUpstream) -> None:
    assert [model.id for model in await client.models()] == upstream.model_names
    assert all(model.name for model in await client.models())
    upstream.fail(500, "down")
    assert (await code_of(client.models())).code == "upstream_failed"


async def test_verify(client: ModelClient, upstream: ScriptedUpstream) -> None:
    await client.verify("scripted-small")
    assert upstream.requests[0].model == "scripted-small"
    upstream.fail(404, "no such model")
    assert "no such model" in str(await code_of(client.verify("nope")))


async def test_the_types_own_default_model(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    request = ask()
    request.model = ""
    await open_type(provider_type).complete(request)
    await open_type(provider_type, default_model="mine-1").complete(request)
    asked = [received.model for received in upstream.requests]
    assert asked == [VENDORS[provider_type].default_model, "mine-1"]


async def test_the_key_goes_where_the_vendor_wants_it(
    provider_type: str, client: ModelClient, upstream: ScriptedUpstream
) -> None:
    await client.complete(ask())
    headers = upstream.requests[0].headers
    holders = {name for name, value in headers.items() if KEY in value}
    assert holders == {VENDORS[provider_type].key_header.lower()}
    assert KEY not in upstream.requests[0].path


async def test_a_redirect_is_not_followed(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.garbage(b"", status=307, headers=(("Location", f"{upstream.url}/v1/steal"),))
    assert (await code_of(client.complete(ask()))).code == "upstream_refused"
    assert len(upstream.requests) == 1


async def test_a_reserved_address_is_refused_at_call_time(
    provider_type: str, upstream: ScriptedUpstream
) -> None:
    async with OutboundClient() as outbound:
        config = ProviderConfig("mine", provider_type, upstream.base_url(provider_type), KEY)
        error = await code_of(open_client(config, outbound, QUICK).complete(ask()))
    assert error.code == "host_refused"
    assert upstream.requests == []


async def test_the_whole_conversation_reaches_the_vendor(
    provider_type: str, client: ModelClient, upstream: ScriptedUpstream
) -> None:
    """A history with every kind of message, as text: order and content survive on each wire."""
    messages = [
        ModelMessage("system", "Agent prompt."),
        ModelMessage("system", "Client prompt."),
        ModelMessage("user", [TextPart("What is this?"), ImagePart(PIXEL)], name="ada"),
        ModelMessage("assistant", "A pixel."),
        ModelMessage("user", "And the weather?"),
        ModelMessage(
            "assistant",
            tool_calls=[
                ToolCall("call_a", "weather", '{"city":"Bern"}'),
                ToolCall("call_b", "weather", '{"city":"Basel"}'),
            ],
        ),
        ModelMessage("tool", "sunny", tool_call_id="call_a"),
        ModelMessage("tool", "rain", tool_call_id="call_b"),
    ]
    await client.complete(ModelRequest("scripted-small", messages, tools=[WEATHER]))
    sent = str(upstream.requests[0].body)
    order = ["What is this?", PIXEL.partition(",")[2], "A pixel.", "And the weather?"]
    order += ["Bern", "Basel", "sunny", "rain"]
    places = [sent.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)
    assert 0 <= sent.find("Agent prompt.") < sent.find("Client prompt.")
    if provider_type != "mistral":
        assert "ada" in sent
