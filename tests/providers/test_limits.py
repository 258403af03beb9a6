"""How long every provider type waits for its vendor, how much it takes, and what it says then."""

import asyncio
import re
import time
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from goclaw.core.errors import UpstreamTimeout
from goclaw.core.provider_settings import read_settings
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig, Timeouts
from goclaw.providers.registry import open_client
from goclaw.security.outbound import OutboundClient
from tests.providers.asking import Way, ask, both_ways, code_of, streamed
from tests.providers.conftest import KEY, QUICK, OpenClient
from tests.upstream import ScriptedUpstream, call


async def test_a_silent_vendor(hasty: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.silence()
    began = time.monotonic()
    error = await code_of(streamed(hasty, ask()))
    assert isinstance(error, UpstreamTimeout)
    assert error.params["limit"] == "first_token_timeout_s"
    assert "first_token_timeout_s" in str(error)
    assert time.monotonic() - began < QUICK.total_s
    await upstream.until_hung_up()


async def test_a_silent_vendor_while_not_streaming(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    upstream.silence()
    client = open_type(provider_type, Timeouts(total_s=0.3))
    error = await code_of(client.complete(ask()))
    assert (error.code, error.params["limit"]) == ("upstream_timeout", "call_timeout_s")
    await upstream.until_hung_up()


async def test_a_pause_between_deltas(hasty: ModelClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("ab", deltas=2, every=5)
    error = await code_of(streamed(hasty, ask()))
    assert (error.code, error.params["timeout_s"]) == ("upstream_timeout", "0.3")
    assert error.params["limit"] == "between_tokens_timeout_s"
    await upstream.until_hung_up()


async def test_a_slow_reader_is_no_silent_vendor(
    hasty: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("abcd", deltas=4, every=0.01)
    got = []
    async with aclosing(hasty.stream(ask())) as stream:
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
    assert error.params["limit"] == "call_timeout_s"
    await upstream.until_hung_up()


async def test_a_slow_first_byte_within_the_limit(
    hasty: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("late", head_after=0.2)
    assert (await streamed(hasty, ask())).content == "late"


async def test_a_head_without_a_token_is_no_answer(
    hasty: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("late", first_after=5)
    error = await code_of(streamed(hasty, ask()))
    assert (error.code, error.params["limit"]) == ("upstream_timeout", "first_token_timeout_s")
    await upstream.until_hung_up()


async def test_keep_alives_are_no_first_token(
    hasty: ModelClient, upstream: ScriptedUpstream
) -> None:
    upstream.beat(every=0.05)
    error = await code_of(streamed(hasty, ask()))
    assert error.params["limit"] == "first_token_timeout_s"
    await upstream.until_hung_up()


async def test_a_first_token_may_take_longer_than_the_next(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply("ab", deltas=2, first_after=0.4)
    client = open_type(provider_type, Timeouts(first_token_s=5, between_s=0.2))
    assert (await streamed(client, ask())).content == "ab"


async def test_the_whole_limit_holds_before_the_first_token(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    for script in ({"head_after": 5}, {"first_after": 5}):
        upstream.reply("late", **script)
        client = open_type(provider_type, Timeouts(total_s=0.3))
        error = await code_of(streamed(client, ask()))
        assert error.params["limit"] == "call_timeout_s", script


class Nowhere(AbstractResolver):
    """Names that take forever to look up."""

    async def resolve(self, *_: object, **__: object) -> list[ResolveResult]:
        await asyncio.sleep(3600)
        return []

    async def close(self) -> None:
        return None


@both_ways
async def test_connecting(provider_type: str, way: Way) -> None:
    outbound = OutboundClient(["model.example:80"], resolver=Nowhere())
    outbound.embed("http://model.example/v1")
    async with outbound:
        config = ProviderConfig("mine", provider_type, "http://model.example/v1", KEY)
        client = open_client(config, outbound, Timeouts(connect_s=0.1))
        error = await code_of(way(client, ask()))
    assert (error.code, error.params["limit"]) == ("upstream_timeout", "connect_timeout_s")
    assert error.params["timeout_s"] == "0.1"


async def test_lookups_have_a_limit_of_their_own(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    upstream.silence()
    client = open_type(provider_type, Timeouts(lookup_s=0.2))
    error = await code_of(client.verify("scripted-small"))
    assert (error.code, error.params["limit"]) == ("upstream_timeout", "lookup_timeout_s")


@pytest.mark.parametrize("limit", ["_REPLY_LIMIT_BYTES", "_STREAM_LIMIT_BYTES"])
@pytest.mark.parametrize(
    "said",
    [
        {"text": "x" * 9000},
        {"thinking": "x" * 9000},
        {"calls": (call("write", pieces=90, text="x" * 9000),)},
    ],
    ids=["text", "thinking", "call"],
)
async def test_a_stream_beyond_the_limits(
    client: ModelClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    said: dict[str, Any],
) -> None:
    """A vendor that never ends would fill the memory of all."""
    monkeypatch.setattr(f"goclaw.providers.wire.{limit}", 4000)
    upstream.reply(deltas=90, **said)
    error = await code_of(streamed(client, ask()))
    assert (error.code, error.params["limit_bytes"]) == ("upstream_too_large", 4000)
    await upstream.until(lambda: upstream.open == 0)


def test_limits_are_settings() -> None:
    given = {
        "connect_timeout_s": 1.5,
        "first_token_timeout_s": 20,
        "between_tokens_timeout_s": 30,
        "call_timeout_s": 40,
        "lookup_timeout_s": 5,
    }
    assert Timeouts.of(read_settings(given)) == Timeouts(1.5, 20, 30, 40, 5)
    assert Timeouts.of(read_settings({})) == Timeouts()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"connect_timeout_s": 0}, "connect_timeout_s: input should be greater than"),
        ({"call_timeout_s": 1e9}, "call_timeout_s: input should be less than"),
        ({"call_timeout_s": "60"}, "call_timeout_s: input should be a valid number"),
        ({"conect_timeout_s": 1}, "conect_timeout_s: is not known"),
        ({"max_attempts": 0}, "max_attempts: input should be greater than"),
        ({"prompt_cache": "2h"}, "prompt_cache: input should be"),
        ({"fallback": [{"provider": "x"}]}, "fallback.0.model: field required"),
        ({"fallback": [{"provider": "x", "model": "m"}] * 6}, "fallback: list should have"),
        ({"fallback_on": ["bad luck"]}, "fallback_on.0: input should be"),
    ],
)
def test_settings_beyond_their_range_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read_settings(settings)
