"""Whom every provider type asks, for what, and with whose key."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from goclaw.core.errors import UpstreamFailed
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig
from goclaw.providers.registry import OLLAMA_HOST, VENDORS, open_client
from goclaw.security.outbound import OutboundClient
from tests.providers.asking import ask, code_of, streamed
from tests.providers.conftest import KEY, QUICK, OpenClient
from tests.upstream import ScriptedUpstream


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


class Eavesdropper(AbstractResolver):
    """Hears which host is looked up, and knows none."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    async def resolve(self, host: str, *_: object, **__: object) -> list[ResolveResult]:
        self.hosts.append(host)
        raise OSError("unknown")

    async def close(self) -> None:
        return None


HOSTS = {
    "anthropic_native": "api.anthropic.com",
    "openai_compat": "api.openai.com",
    "gemini_native": "generativelanguage.googleapis.com",
    "groq": "api.groq.com",
    "deepseek": "api.deepseek.com",
    "mistral": "api.mistral.ai",
    "xai": "api.x.ai",
    "ollama": "localhost",
}


@pytest.mark.parametrize("given", ["", "  "])
@pytest.mark.parametrize("call", ["complete", "stream", "models", "verify"])
async def test_a_key_travels_to_its_own_vendor_alone(
    provider_type: str, given: str, call: str
) -> None:
    resolver = Eavesdropper()
    async with OutboundClient([OLLAMA_HOST], resolver=resolver) as outbound:
        config = ProviderConfig("mine", provider_type, given, KEY)
        if provider_type == "local":
            with pytest.raises(UpstreamFailed, match="api_base"):
                open_client(config, outbound)
            return
        client = open_client(config, outbound)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "complete": lambda: client.complete(ask()),
            "stream": lambda: streamed(client, ask()),
            "models": client.models,
            "verify": lambda: client.verify("m"),
        }
        assert (await code_of(calls[call]())).code == "upstream_unreachable"
    assert set(resolver.hosts) == {HOSTS[provider_type]}
