import pytest

from goclaw.core.errors import UpstreamFailed
from goclaw.providers.config import ProviderConfig
from goclaw.providers.registry import OLLAMA_HOST, VENDORS, base_url_of, open_client
from goclaw.security.outbound import OutboundClient, check_url


def test_every_type_has_an_address_of_its_own() -> None:
    bases = [vendor.base_url for vendor in VENDORS.values()]
    assert len(set(bases)) == len(bases)
    for type, vendor in VENDORS.items():
        if type not in ("ollama", "local"):
            assert check_url(vendor.base_url, "api_base").scheme == "https"
    assert OLLAMA_HOST in VENDORS["ollama"].base_url


@pytest.mark.parametrize(
    ("type", "given", "used"),
    [
        ("openai_compat", "https://x.example/v1/", "https://x.example/v1"),
        ("openai_compat", "https://x.example", "https://x.example"),
        ("ollama", "http://box:11434", "http://box:11434/v1"),
        ("ollama", "http://box:11434/v1/", "http://box:11434/v1"),
        ("anthropic_native", "https://x.example", "https://x.example/v1"),
        ("anthropic_native", "https://x.example/v1", "https://x.example/v1"),
        ("anthropic_native", "https://x.example/proxy", "https://x.example/proxy"),
        ("gemini_native", "https://g.example/v1beta/openai", "https://g.example/v1beta"),
        ("groq", "", "https://api.groq.com/openai/v1"),
        ("groq", None, "https://api.groq.com/openai/v1"),
        ("groq", "  ", "https://api.groq.com/openai/v1"),
    ],
)
def test_base_urls(type: str, given: str | None, used: str) -> None:
    assert base_url_of(type, given) == used


@pytest.mark.parametrize("type", sorted(VENDORS))
def test_a_key_is_demanded_where_the_vendor_demands_it(type: str) -> None:
    outbound = OutboundClient()
    config = ProviderConfig("mine", type)
    if type == "ollama":
        assert open_client(config, outbound).name == "mine"
        return
    with pytest.raises(UpstreamFailed) as caught:
        open_client(config, outbound)
    assert caught.value.code == (
        "provider_base_missing" if type == "local" else "provider_key_missing"
    )


def test_a_compatible_server_of_ones_own_needs_no_key() -> None:
    open_client(ProviderConfig("mine", "openai_compat", "https://x.example/v1"), OutboundClient())


@pytest.mark.parametrize("key", ["a b", "a\r\nX-Evil: 1", "ключ", "a\x00b"])
def test_a_key_cannot_forge_a_header(key: str) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        open_client(ProviderConfig("mine", "groq", api_key=key), OutboundClient())
    assert caught.value.code == "provider_key_malformed"
    assert key not in str(caught.value)


def test_the_key_is_not_in_the_repr() -> None:
    assert "secret" not in repr(ProviderConfig("mine", "groq", api_key="secret"))


async def test_only_the_embedded_address_is_open_to_the_type_local() -> None:
    async with OutboundClient() as outbound:
        outbound.embed("http://127.0.0.1:9")
        stranger = open_client(ProviderConfig("x", "local", "http://127.0.0.1:8/v1"), outbound)
        with pytest.raises(UpstreamFailed) as caught:
            await stranger.models()
        assert caught.value.code == "host_refused"
        own = open_client(ProviderConfig("x", "local", "http://127.0.0.1:9/v1"), outbound)
        with pytest.raises(UpstreamFailed) as caught:
            await own.models()
        assert caught.value.code == "upstream_unreachable"
        other = open_client(ProviderConfig("x", "ollama", "http://127.0.0.1:9/v1"), outbound)
        with pytest.raises(UpstreamFailed) as caught:
            await other.models()
        assert caught.value.code == "host_refused"
