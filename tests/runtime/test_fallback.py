"""Runs that other providers answer: opted in, noted in the trace, paid at the right price."""

from decimal import Decimal
from typing import Any

import pytest

from goclaw.core.errors import GatewayError
from goclaw.core.paging import PageRequest
from goclaw.models.providers import Provider, ProviderPatch
from goclaw.models.traces import SpanType
from goclaw.providers.messages import Usage as Counted
from goclaw.resolvers.chat import ChatRun, start_chat
from goclaw.resolvers.providers import get_provider_health, update_provider, verify_provider
from goclaw.resolvers.services import Services
from goclaw.resolvers.traces import list_spans, list_traces
from goclaw.runtime.prices import cost_usd
from tests.runtime.test_chat_runs import said
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream, Usage

ONCE = {"max_attempts": 1, "breaker_failures": 0}


async def add_chain(services: Services, upstream: ScriptedUpstream, **settings: Any) -> Provider:
    """Of three, the first with an agent of its own."""
    links = [
        {"provider": "second", "model": "gpt-4o"},
        {"provider": "third", "model": "gpt-4o-mini"},
    ]
    first = await add_provider(
        services, upstream, "first", **(ONCE | {"fallback": links} | settings)
    )
    for name in ("second", "third"):
        await add_provider(services, upstream, name)
    await add_agent(services, first)
    return first


async def begin(services: Services) -> ChatRun:
    return await start_chat(context(services), said(("user", "Hello?")))


async def whole(run: ChatRun) -> str:
    return (await run.reply()).content


async def streamed(run: ChatRun) -> str:
    return "".join([delta.text async for burst in run.deltas() for delta in burst])


async def call_span(services: Services) -> Any:
    await services.traces.flush()
    ctx = context(services)
    [trace] = (await list_traces(ctx, PageRequest())).rows
    [span] = [s for s in await list_spans(ctx, trace.id) if s.span_type == SpanType.LLM_CALL]
    return span


both_ways = pytest.mark.parametrize("way", [whole, streamed])


def asked(upstream: ScriptedUpstream) -> list[str]:
    return [received.model for received in upstream.requests]


@both_ways
async def test_the_next_one_answers_and_the_trace_tells(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream)
    upstream.fail(503)
    upstream.fail(429)
    upstream.reply("From the third.", usage=Usage(1000, 500, 0))
    assert await way(await begin(services)) == "From the third."
    assert asked(upstream) == ["scripted-1", "gpt-4o", "gpt-4o-mini"]
    span = await call_span(services)
    assert (span.provider, span.model, span.status) == ("third", "gpt-4o-mini", "completed")
    assert [(a["provider"], a["model"], a["code"]) for a in span.metadata["attempts"]] == [
        ("first", "scripted-1", "upstream_failed"),
        ("second", "gpt-4o", "upstream_rate_limited"),
        ("third", "gpt-4o-mini", None),
    ]
    assert span.cost_usd == cost_usd("openai_compat", "gpt-4o-mini", Counted(1000, 500))  # type: ignore[arg-type]
    assert span.cost_usd > 0


PRICE = {"input_usd": 2, "output_usd": 8}


@both_ways
async def test_a_provider_is_paid_its_own_price(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream, prices={"scripted-1": PRICE})
    upstream.reply("Here.", usage=Usage(1000, 500, 0))
    await way(await begin(services))
    assert (await call_span(services)).cost_usd == Decimal("0.006")


@both_ways
async def test_whoever_answers_is_paid_its_own_price(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    first = await add_chain(services, upstream, prices={"*": {"input_usd": 99, "output_usd": 99}})
    own = await add_provider(services, upstream, "own", **ONCE, prices={"gpt-4o": PRICE})
    links = {"fallback": [{"provider": own.name, "model": "gpt-4o"}]}
    await update_provider(context(services), first.id, ProviderPatch(settings=ONCE | links))
    upstream.fail(503)
    upstream.reply("From the second.", usage=Usage(1000, 500, 0))
    await way(await begin(services))
    span = await call_span(services)
    assert (span.provider, span.cost_usd) == ("own", Decimal("0.006"))
    assert all("price" not in attempt for attempt in span.metadata["attempts"])


@both_ways
async def test_without_a_chain_nobody_else_is_asked(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream, fallback=[])
    upstream.fail(503)
    with pytest.raises(GatewayError):
        await way(await begin(services))
    assert asked(upstream) == ["scripted-1"]


@both_ways
async def test_only_for_the_errors_that_were_named(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream, fallback_on=["upstream_credential"])
    upstream.fail(503)
    with pytest.raises(GatewayError) as caught:
        await way(await begin(services))
    assert caught.value.code == "upstream_failed"
    upstream.fail(401)
    upstream.reply("Hello.")
    assert await way(await begin(services)) == "Hello."
    assert asked(upstream) == ["scripted-1", "scripted-1", "gpt-4o"]


@both_ways
async def test_a_refusal_is_no_reason_unless_told(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream)
    upstream.fail(400, "no such tool")
    with pytest.raises(GatewayError) as caught:
        await way(await begin(services))
    assert (caught.value.code, len(upstream.requests)) == ("upstream_refused", 1)


async def test_never_after_something_was_said(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_chain(services, upstream)
    upstream.reply("abcd", deltas=4, every=0.02, cut_after=2)
    run = await begin(services)
    with pytest.raises(GatewayError) as caught:
        await streamed(run)
    assert (caught.value.code, len(upstream.requests)) == ("upstream_cut", 1)


@both_ways
async def test_when_nobody_answers_the_first_error_counts(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    await add_chain(services, upstream)
    upstream.fail(503, "the first is down")
    upstream.fail(500, "the second is down")
    upstream.fail(500, "the third is down")
    with pytest.raises(GatewayError, match="the first is down"):
        await way(await begin(services))
    span = await call_span(services)
    assert (span.status, span.provider) == ("error", "first")
    assert [a["code"] for a in span.metadata["attempts"]] == ["upstream_failed"] * 3


@both_ways
async def test_a_link_that_cannot_be_used_is_skipped_with_a_note(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    links = [
        {"provider": "nobody", "model": "m"},
        {"provider": "second", "model": "m"},
        {"provider": "third", "model": "gpt-4o"},
    ]
    await add_chain(services, upstream, fallback=links)
    ctx = context(services)
    second = (await services.database.pool.fetch("select id from providers where name = 'second'"))[
        0
    ]
    await update_provider(ctx, second["id"], ProviderPatch(enabled=False))
    upstream.fail(503)
    upstream.reply("Hello.")
    assert await way(await begin(services)) == "Hello."
    codes = [a["code"] for a in (await call_span(services)).metadata["attempts"]]
    assert codes == ["upstream_failed", "provider_not_found", "provider_disabled", None]


@both_ways
async def test_a_chain_in_a_circle_ends(
    services: Services, upstream: ScriptedUpstream, way: Any
) -> None:
    links = [{"provider": "scripted", "model": "again"}]
    provider = await add_provider(services, upstream, "scripted", **ONCE, fallback=links)
    await add_agent(services, provider)
    upstream.fail(503)
    upstream.fail(503)
    with pytest.raises(GatewayError):
        await way(await begin(services))
    assert asked(upstream) == ["scripted-1", "again"]


@both_ways
async def test_retries_come_first(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, way: Any
) -> None:
    monkeypatch.setattr("goclaw.runtime.retries.FIRST_WAIT_S", 0.001)
    await add_chain(services, upstream, max_attempts=2)
    upstream.fail(503)
    upstream.fail(503)
    upstream.reply("Hello.")
    assert await way(await begin(services)) == "Hello."
    assert asked(upstream) == ["scripted-1", "scripted-1", "gpt-4o"]
    metadata = (await call_span(services)).metadata
    assert metadata["attempts"][0]["wait_s"] is not None
    assert metadata["attempts"][1]["wait_s"] is None


async def test_an_open_breaker_falls_over_at_once_and_is_seen(
    services: Services, upstream: ScriptedUpstream
) -> None:
    first = await add_chain(services, upstream, breaker_failures=1)
    ctx = context(services)
    assert (await get_provider_health(ctx, first.id)).state == "closed"
    upstream.fail(503)
    for _ in range(2):
        assert await whole(await begin(services))
    assert asked(upstream) == ["scripted-1", "gpt-4o", "gpt-4o"]
    health = await get_provider_health(ctx, "first")
    assert (health.state, health.last_error, health.times_opened) == ("open", "upstream_failed", 1)
    assert health.retry_after_s is not None
    assert (await get_provider_health(ctx, "second")).state == "closed"
    assert (await verify_provider(ctx, first.id, "scripted-1")).valid
    assert (await get_provider_health(ctx, first.id)).state == "closed"
    upstream.fail(503)
    await whole(await begin(services))
    assert (await get_provider_health(ctx, first.id)).state == "open"
    await update_provider(ctx, first.id, ProviderPatch(display_name="Mended"))
    assert (await get_provider_health(ctx, first.id)).state == "closed"


async def test_thinking_is_kept_with_the_answer(
    services: Services, upstream: ScriptedUpstream
) -> None:
    await add_agent(services, await add_provider(services, upstream))
    upstream.reply("42", thinking="six times\0 seven")
    await whole(await begin(services))
    rows = await services.database.pool.fetch(
        "select thoughts from messages where role = 'assistant'"
    )
    assert rows[0]["thoughts"] == [{"wire": "openai", "text": "six times seven"}]
