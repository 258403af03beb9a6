"""How every provider type reads a stream, however it comes and wherever it ends."""

import asyncio
import time
from contextlib import aclosing

import pytest

from goclaw.providers.client import ModelClient
from goclaw.providers.config import Timeouts
from goclaw.security.outbound import OutboundClient
from tests.providers.asking import Way, ask, both_ways, bursts, code_of, streamed, whole
from tests.providers.conftest import KEY, OpenClient
from tests.upstream import Script, ScriptedUpstream


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


async def test_closing_the_stream_hangs_up(client: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("x" * 100, deltas=100, every=0.05)
    async with aclosing(client.stream(ask())) as stream:
        await anext(stream)
    await upstream.until_hung_up(timeout_s=3)


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
    await upstream.until_hung_up(timeout_s=3)


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
