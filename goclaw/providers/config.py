"""Where a model is reached and how long it may take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from aiohttp import ClientTimeout

from goclaw.security.scrub import scrub_formats


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. A reply that is not streamed has `total_s` alone, its first byte being its last."""

    connect_s: float = 10
    first_byte_s: float = 60
    between_s: float = 60
    total_s: float = 600
    lookup_s: float = 15
    """For listing models and verifying."""


DEFAULT_TIMEOUTS: Final = Timeouts()


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """`type` is a key of `registry.VENDORS`; an empty `api_base` is the vendor's own. What a
    vendor says passes `scrub` before it is told.
    """

    name: str
    type: str
    api_base: str = ""
    api_key: str = field(default="", repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    scrub: Callable[[str], str] = field(default=scrub_formats, repr=False, compare=False)


@lru_cache(maxsize=64)
def whole_limits(connect_s: float, total_s: float) -> ClientTimeout:
    return ClientTimeout(total=total_s, connect=connect_s)


@lru_cache(maxsize=64)
def stream_limits(connect_s: float, first_byte_s: float) -> ClientTimeout:
    """The length of the whole stream is watched by its reader, not here."""
    return ClientTimeout(total=None, connect=connect_s, sock_read=first_byte_s)


@dataclass(frozen=True, slots=True)
class Vendor:
    """What differs between vendors of one wire.

    `key_header` Authorization means a bearer token; `bearer` is sent where no key is set.
    `dropped` and `renamed` are fields of OpenAI's body that the vendor refuses or calls otherwise.
    """

    base_url: str
    default_model: str
    key_header: str = "Authorization"
    key_required: bool = True
    bearer: str = ""
    embedded: bool = False
    dropped: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
