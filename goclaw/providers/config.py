"""Where a model is reached and how long it may take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

from aiohttp import ClientTimeout

from goclaw.core.provider_settings import ProviderSettings
from goclaw.security.scrub import scrub_formats

CONNECT: Final = "connect_timeout_s"
FIRST: Final = "first_token_timeout_s"
BETWEEN: Final = "between_tokens_timeout_s"
CALL: Final = "call_timeout_s"
LOOKUP: Final = "lookup_timeout_s"


class Limit(NamedTuple):
    """`name` is that of the setting."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. A reply that is not streamed has `total_s` alone, its first byte being its last."""

    connect_s: float = 10
    first_token_s: float = 120
    between_s: float = 60
    total_s: float = 600
    lookup_s: float = 15
    """For listing models and verifying."""

    @classmethod
    def of(cls, settings: ProviderSettings) -> Self:
        return cls(
            settings.connect_timeout_s,
            settings.first_token_timeout_s,
            settings.between_tokens_timeout_s,
            settings.call_timeout_s,
            settings.lookup_timeout_s,
        )


DEFAULT_SETTINGS: Final = ProviderSettings()


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """`type` is a key of `registry.VENDORS`; an empty `api_base` is the vendor's own. What a
    vendor says passes `scrub` before it is told.
    """

    name: str
    type: str
    api_base: str = ""
    api_key: str = field(default="", repr=False)
    settings: ProviderSettings = DEFAULT_SETTINGS
    scrub: Callable[[str], str] = field(default=scrub_formats, repr=False, compare=False)


@lru_cache(maxsize=64)
def whole_limits(connect_s: float, total_s: float) -> ClientTimeout:
    return ClientTimeout(total=total_s, connect=connect_s)


@lru_cache(maxsize=64)
def stream_limits(connect_s: float, first_token_s: float) -> ClientTimeout:
    """The length of the whole stream is watched by its reader, not here."""
    return ClientTimeout(total=None, connect=connect_s, sock_read=first_token_s)


def _as_it_likes(_model: str, _level: str) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Vendor:
    """What differs between vendors of one wire.

    `key_header` Authorization means a bearer token; `bearer` is sent where no key is set.
    `dropped` and `renamed` are fields of OpenAI's body that the vendor refuses or calls otherwise;
    `think` gives the fields that ask a model for a thinking level, `echoes` says that thinking
    goes back with the tool calls it led to. Without `schemas` an answer in a form of one's own
    is asked for in words. `cache_keys` are understood at the vendor's own address.
    """

    base_url: str
    default_model: str
    key_header: str = "Authorization"
    key_required: bool = True
    bearer: str = ""
    embedded: bool = False
    dropped: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    think: Callable[[str, str], dict[str, Any]] = _as_it_likes
    echoes: bool = False
    schemas: bool = True
    cache_keys: bool = False
