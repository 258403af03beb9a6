"""The embedded model among the others: waited for while it starts, noted where it answers."""

from dataclasses import replace

import pytest

from goclaw.core.errors import GatewayError
from goclaw.core.host import Host, LocalModel
from goclaw.models.providers import Provider
from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.resolvers.services import Services
from goclaw.store.providers import provider_by_name
from tests.runtime.test_fallback import ONCE, begin, both_ways, call_span
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream, Usage


@pytest.fixture
def host(host: Host, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr("goclaw.resolvers.seed.WARM_ATTEMPTS", 0)
    return replace(host, local_model=LocalModel(upstream.base_url(), "k" * 43))


async def local(services: Services) -> Provider:
    provider = await provider_by_name(context(services).reads, "local")
    assert provider is not None
    return provider


def hello() -> ModelRequest:
    return ModelRequest("m", [ModelMessage("user", "Hello?")])


@both_ways
async def test_its_answers_to_others_questions_are_free_and_noted(
    services: Services, upstream: ScriptedUpstream, way: object
) -> None:
    links = [{"provider": "local", "model": "small"}]
    settings = ONCE | {"fallback": links}
    first = await add_provider(services, upstream, "first", **settings)
    await add_agent(services, first)
    upstream.fail(503)
    upstream.reply("From the small one.", usage=Usage(1000, 500, 0))
    assert await way(await begin(services)) == "From the small one."  # type: ignore[operator]
    span = await call_span(services)
    assert (span.provider, span.model, span.cost_usd) == ("local", "small", 0)


async def test_it_is_asked_again_while_it_loads(
    services: Services, upstream: ScriptedUpstream
) -> None:
    upstream.fail(503, "Loading model")
    upstream.reply("Hello.")
    client = services.clients.client_of(await local(services))
    assert (await client.complete(hello())).content == "Hello."


async def test_it_is_not_asked_again_once_it_has_spoken(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goclaw.runtime.patience._is_starting", lambda _: True)
    upstream.reply("Half of it", deltas=4, error_after=2)
    client = services.clients.client_of(await local(services))
    text = ""
    with pytest.raises(GatewayError):  # noqa: PT012
        async for deltas in client.stream(hello()):
            text += "".join(delta.text for delta in deltas)
    assert (text, len(upstream.requests)) == ("Half o", 1)
