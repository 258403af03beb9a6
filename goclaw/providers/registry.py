"""The provider types: whose address, which wire, what each vendor wants otherwise."""

from functools import lru_cache
from typing import Final

from yarl import URL

from goclaw.core.errors import UpstreamFailed
from goclaw.providers import efforts
from goclaw.providers.anthropic_wire import AnthropicWire
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig, Timeouts, Vendor
from goclaw.providers.gemini_wire import GeminiWire
from goclaw.providers.openai_wire import OpenAIWire
from goclaw.providers.wire import WireClient
from goclaw.security.outbound import OutboundClient

# No type's address is another vendor's: a key must never travel to a stranger.
VENDORS: Final[dict[str, Vendor]] = {
    "anthropic_native": Vendor(
        "https://api.anthropic.com/v1", "claude-sonnet-4-5-20250929", key_header="x-api-key"
    ),
    "openai_compat": Vendor(
        "https://api.openai.com/v1",
        "gpt-4o",
        key_required=False,
        think=efforts.openai,
        echoes=True,
        cache_keys=True,
    ),
    "gemini_native": Vendor(
        "https://generativelanguage.googleapis.com/v1beta",
        "gemini-2.0-flash",
        key_header="x-goog-api-key",
    ),
    "groq": Vendor(
        "https://api.groq.com/openai/v1",
        "llama-3.3-70b-versatile",
        dropped=frozenset({"logprobs", "top_logprobs"}),
        think=efforts.groq,
    ),
    "deepseek": Vendor(
        "https://api.deepseek.com/v1",
        "deepseek-chat",
        think=efforts.deepseek,
        echoes=True,
        schemas=False,
    ),
    "mistral": Vendor(
        "https://api.mistral.ai/v1",
        "mistral-large-latest",
        dropped=frozenset({"name", "user", "logprobs", "top_logprobs", "stream_options"}),
        renamed={"seed": "random_seed"},
        think=efforts.mistral,
    ),
    "xai": Vendor("https://api.x.ai/v1", "grok-3-mini", think=efforts.xai),
    "ollama": Vendor(
        "http://localhost:11434/v1",
        "llama3.3",
        key_required=False,
        bearer="ollama",
        think=efforts.ollama,
    ),
    "local": Vendor("", "local", key_required=False, embedded=True),
}
OLLAMA_HOST: Final = "localhost:11434"
"""Allowed by `app` while the server listens on loopback alone."""

_WIRES: Final[dict[str, type[WireClient]]] = {
    "anthropic_native": AnthropicWire,
    "gemini_native": GeminiWire,
}


def open_client(
    config: ProviderConfig, outbound: OutboundClient, timeouts: Timeouts | None = None
) -> ModelClient:
    """No I/O: may be called for each run. `timeouts` are those of the settings, unless given.

    Raises UpstreamFailed where the key is missing or can't be one, or the type has no address.
    """
    vendor = VENDORS[config.type]
    base_url = base_url_of(config.type, config.api_base)
    if not base_url:
        raise UpstreamFailed("provider_base_missing", name=config.name)
    if not config.api_key and (
        vendor.key_required or base_url == VENDORS["openai_compat"].base_url
    ):
        raise UpstreamFailed("provider_key_missing", name=config.name)
    if not (config.api_key.isascii() and config.api_key.isprintable()) or " " in config.api_key:
        raise UpstreamFailed("provider_key_malformed", name=config.name)
    wire = _WIRES.get(config.type, OpenAIWire)
    return wire(config, vendor, base_url, outbound, timeouts or Timeouts.of(config.settings))


@lru_cache(maxsize=256)
def base_url_of(type: str, api_base: str | None) -> str:
    """What paths are appended to: the given address in the form its wire needs, else the type's."""
    base = (api_base or "").strip().rstrip("/")
    if not base:
        return VENDORS[type].base_url
    match type:
        case "ollama":
            return base if base.endswith("/v1") else f"{base}/v1"
        case "anthropic_native":
            return base if URL(base).path != "/" else f"{base}/v1"
        case "gemini_native":
            return base.removesuffix("/openai")
    return base
