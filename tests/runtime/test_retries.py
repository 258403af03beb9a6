"""When a vendor is asked again, and when it must not be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from goclaw.core.errors import GatewayError
from goclaw.core.provider_settings import read_settings
from goclaw.providers.config import ProviderConfig, Timeouts
from goclaw.providers.registry import open_client
from goclaw.runtime.breaker import Breaker
from goclaw.runtime.retries import RetryingClient
from goclaw.security.outbound import OutboundClient
from tests.providers.asking import Way, ask, both_ways, bursts, code_of, streamed
from tests.upstream import ScriptedUpstream

TYPES = ("openai_compat", "anthropic_native", "gemini_native")
OpenSteady = Callable[..., RetryingClient]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited, without waiting."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("goclaw.runtime.retries.sleep", sleep)
    return waited


@pytest.fixture
async def outbound(upstream: ScriptedUpstream) -> AsyncIterator[OutboundClient]:
    async with OutboundClient([upstream.host]) as client:
        yield client


@pytest.fixture
def steady(upstream: ScriptedUpstream, outbound: OutboundClient) -> OpenSteady:
    def steady(
        type: str = "openai_compat", timeouts: Timeouts | None = None, **settings: Any
    ) -> RetryingClient:
        known = read_settings({"breaker_failures": 0} | settings)
        config = ProviderConfig("mine", type, upstream.base_url(type), "sk-1234567890", known)
        client = open_client(config, outbound, timeouts)
        return RetryingClient(client, type, known, Breaker("mine", known))

    return steady


@both_ways
@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
async def test_asked_again_until_it_answers(
    steady: OpenSteady,
    upstream: ScriptedUpstream,
    waits: list[float],
    type: str,
    way: Way,
    status: int,
) -> None:
    upstream.fail(status)
    upstream.fail(status)
    upstream.reply("At last.")
    request = ask()
    assert (await way(steady(type), request)).content == "At last."
    assert len(upstream.requests) == 3
    first, second, last = request.attempts
    assert (first.provider, first.provider_type, first.model) == ("mine", type, "scripted-small")
    assert (first.status, second.status) == (status, status)
    assert [first.wait_s, second.wait_s] == waits
    assert first.code == ("upstream_rate_limited" if status == 429 else "upstream_failed")
    assert (last.code, last.status, last.wait_s) == (None, None, None)
    assert first.started_at <= second.started_at <= last.started_at
    assert first.duration_s > 0


@both_ways
async def test_no_note_of_what_went_well(
    steady: OpenSteady, upstream: ScriptedUpstream, way: Way
) -> None:
    request = ask()
    await way(steady(), request)
    assert request.attempts == []


@both_ways
async def test_three_times_and_no_more(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float], way: Way
) -> None:
    for _ in range(4):
        upstream.fail(500, "still down")
    request = ask()
    error = await code_of(way(steady(), request))
    assert (error.code, len(upstream.requests), len(request.attempts)) == ("upstream_failed", 3, 3)
    assert "still down" in str(error)
    assert request.attempts[-1].wait_s is None
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1


async def test_waits_grow_and_differ(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float]
) -> None:
    for _ in range(20):
        upstream.fail(500)
    for _ in range(2):
        await code_of(steady(max_attempts=10).complete(ask()))
    first, second = waits[:9], waits[9:]
    assert first != second
    assert all(later > earlier for earlier, later in zip(first, first[2:-2], strict=False))
    assert max(waits) <= 30


@both_ways
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_a_refusal_stands(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float], way: Way, status: int
) -> None:
    upstream.fail(status)
    await code_of(way(steady(), ask()))
    assert (len(upstream.requests), waits) == (1, [])


async def test_garbage_and_a_missed_first_token_stand(
    steady: OpenSteady, upstream: ScriptedUpstream
) -> None:
    """The vendor may be at work, or has done it already."""
    upstream.garbage()
    assert (await code_of(steady().complete(ask()))).code == "upstream_garbage"
    upstream.silence()
    client = steady(timeouts=Timeouts(first_token_s=0.1))
    assert (await code_of(streamed(client, ask()))).code == "upstream_timeout"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("fault", [{"cut_after": 0}, {"cut_after": 0, "abort": True}])
async def test_a_stream_cut_before_its_first_word_is_begun_again(
    steady: OpenSteady,
    upstream: ScriptedUpstream,
    waits: list[float],
    type: str,
    fault: dict[str, Any],
) -> None:
    upstream.reply("abcd", **fault)
    upstream.reply("abcd", error_after=0, message="overloaded")
    upstream.reply("abcd")
    request = ask()
    assert (await streamed(steady(type), request)).content == "abcd"
    assert [a.code for a in request.attempts] == ["upstream_cut", "upstream_failed", None]


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"cut_after": 1}, "upstream_cut"),
        ({"cut_after": 1, "abort": True}, "upstream_cut"),
        ({"error_after": 1}, "upstream_failed"),
        ({"thinking": "hm", "cut_after": 1}, "upstream_cut"),
    ],
)
async def test_never_after_something_was_said(
    steady: OpenSteady, upstream: ScriptedUpstream, type: str, fault: dict[str, Any], code: str
) -> None:
    upstream.reply("abcd", deltas=4, every=0.02, **fault)
    heard = []

    async def listen() -> None:
        async for burst in steady(type).stream(ask()):
            heard.extend(burst)

    assert (await code_of(listen())).code == code
    assert heard
    assert len(upstream.requests) == 1


@both_ways
async def test_a_connection_closed_at_the_moment_of_use_is_replaced_at_once(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float], way: Way
) -> None:
    """Also where nothing else is tried twice."""
    client = steady(max_attempts=1)
    await way(client, ask())
    upstream.drop()
    upstream.reply("Here.")
    request = ask()
    assert (await way(client, request)).content == "Here."
    assert waits == [0.0]
    assert [a.code for a in request.attempts] == ["upstream_unreachable", None]
    upstream.drop()
    upstream.drop()
    assert (await code_of(way(client, ask()))).code == "upstream_unreachable"


@both_ways
async def test_nobody_listens_yet(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float], way: Way
) -> None:
    client = steady()
    await upstream.stop()
    request = ask()
    assert (await code_of(way(client, request))).code == "upstream_unreachable"
    assert len(request.attempts) == 3


async def test_retry_after_is_obeyed(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float]
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    for given in ("7", later):
        upstream.fail(429, retry_after=given)
        upstream.reply("ok")
        await steady().complete(ask())
    assert 7 <= waits[0] < 8
    assert 35 <= waits[1] <= 41


@pytest.mark.parametrize("status", [429, 503])
async def test_a_pause_that_is_too_long_is_not_waited_for(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float], status: int
) -> None:
    upstream.fail(status, retry_after=61)
    error = await code_of(steady().complete(ask()))
    assert (error.retry_after_s, waits) == (61, [])
    upstream.fail(status, retry_after=2)
    error = await code_of(steady(max_retry_wait_s=1).complete(ask()))
    assert (error.retry_after_s, waits) == (2, [])


async def test_no_retry_beyond_the_limit_of_the_call(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float]
) -> None:
    upstream.fail(429, retry_after=20)
    await code_of(steady(call_timeout_s=10).complete(ask()))
    assert waits == []


async def test_cancelling_ends_the_wait(steady: OpenSteady, upstream: ScriptedUpstream) -> None:
    upstream.fail(429, retry_after=30)
    task = asyncio.create_task(steady().complete(ask()))
    await upstream.until(lambda: len(upstream.requests) == 1)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(upstream.requests) == 1


async def test_closing_the_stream_hangs_up(steady: OpenSteady, upstream: ScriptedUpstream) -> None:
    upstream.reply("x" * 100, deltas=100, every=0.05)
    stream = steady().stream(ask())
    await anext(stream)
    await stream.aclose()
    await upstream.until_hung_up(timeout_s=3)


async def test_an_attempt_has_no_secret(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float]
) -> None:
    for _ in range(3):
        upstream.fail(500, "no, not with sk-1234567890")
    request = ask("a private question")
    await code_of(steady().complete(request))
    told = str([attempt.row() for attempt in request.attempts])
    assert "sk-1234" not in told
    assert "private" not in told


async def test_models_and_verify_really_ask(steady: OpenSteady, upstream: ScriptedUpstream) -> None:
    client = steady()
    assert [model.id for model in await client.models()] == upstream.model_names
    await client.verify("scripted-small")
    upstream.fail(503)
    with pytest.raises(GatewayError):
        await client.verify("scripted-small")
    assert [received.path for received in upstream.requests] == [
        "/v1/models",
        "/v1/chat/completions",
        "/v1/chat/completions",
    ]


async def test_a_broken_vendor_is_left_alone_by_the_calls_under_way(
    steady: OpenSteady, upstream: ScriptedUpstream, waits: list[float]
) -> None:
    for _ in range(9):
        upstream.fail(500)
    client = steady(breaker_failures=2, max_attempts=5)
    assert (await code_of(client.complete(ask()))).code == "upstream_failed"
    assert len(upstream.requests) == 2
    request = ask()
    error = await code_of(bursts(client, request))
    assert (error.code, error.status) == ("provider_unavailable", 503)
    assert error.retry_after_s is not None
    assert 1 <= error.retry_after_s <= 30
    assert [attempt.code for attempt in request.attempts] == ["provider_unavailable"]
    assert len(upstream.requests) == 2
    upstream._queue.clear()
    await client.verify("scripted-small")
    await client.complete(ask())
