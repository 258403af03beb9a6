"""What a provider's `settings` may hold: limits, retries, caching, fallbacks. Times in seconds."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FallbackCause = Literal[
    "upstream_rate_limited",
    "upstream_quota",
    "upstream_unreachable",
    "upstream_failed",
    "upstream_cut",
    "upstream_garbage",
    "upstream_timeout",
    "upstream_credential",
    "upstream_refused",
    "upstream_context_exceeded",
    "provider_unavailable",
]
"""Codes of errors, named as they are told to callers."""

CAUSES: Final[tuple[str, ...]] = get_args(FallbackCause)


class FallbackLink(BaseModel):
    """Whom to ask instead, and for which of its models: no two vendors have one of one name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = Field(min_length=1, max_length=50)
    model: str = Field(min_length=1, max_length=255)


ANY_MODEL: Final = "*"
Usd = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
"""Of a million tokens: what the largest call could cost fits its column."""


class Price(BaseModel):
    """Of a million tokens. Those that were read from the vendor's cache, or written into it, cost
    what all others cost that are read, unless they have a price of their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input_usd: Usd
    output_usd: Usd
    cached_usd: Usd | None = None
    cache_write_usd: Usd | None = None


class ProviderSettings(BaseModel):
    """Limits: of the connection, of the wait for the first token and for each one after it (any
    sign of life counts there), of the whole call, and of listing models and verifying.

    `max_attempts` counts the first one; a vendor that asks for a longer pause than
    `max_retry_wait_s` is not asked again. `breaker_failures` within `breaker_window_s`, and no
    fewer than answers meanwhile, stop all calls for `breaker_open_s`; 0 never does. `prices` are
    by model, those of `*` for all that have none; they count before what vendors publish.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    default_model: str = Field(default="", max_length=255)
    connect_timeout_s: float = Field(default=10, ge=0.1, le=60)
    first_token_timeout_s: float = Field(default=120, ge=1, le=1800)
    between_tokens_timeout_s: float = Field(default=60, ge=1, le=1800)
    call_timeout_s: float = Field(default=600, ge=1, le=7200)
    lookup_timeout_s: float = Field(default=15, ge=1, le=120)
    max_attempts: int = Field(default=3, ge=1, le=10)
    max_retry_wait_s: float = Field(default=60, ge=0, le=600)
    prompt_cache: Literal["off", "5m", "1h"] = "5m"
    fallback: list[FallbackLink] = Field(default=[], max_length=5)
    fallback_on: list[FallbackCause] = Field(
        default=[
            "upstream_rate_limited",
            "upstream_unreachable",
            "upstream_failed",
            "upstream_cut",
            "upstream_timeout",
            "provider_unavailable",
        ],
        max_length=len(CAUSES),
    )
    breaker_failures: int = Field(default=5, ge=0, le=1000)
    breaker_window_s: float = Field(default=60, ge=1, le=3600)
    breaker_open_s: float = Field(default=30, ge=1, le=3600)
    prices: dict[Annotated[str, Field(min_length=1, max_length=255)], Price] = Field(
        default={}, max_length=200
    )

    def price_of(self, model: str) -> Price | None:
        return self.prices.get(model) or self.prices.get(ANY_MODEL)


def read_settings(settings: Mapping[str, Any]) -> ProviderSettings:
    """Raises ValueError that names the first setting that is wrong."""
    try:
        return ProviderSettings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(str(step) for step in first["loc"])
        what = "is not known" if first["type"] == "extra_forbidden" else first["msg"].lower()
        raise ValueError(f"{name}: {what}") from None


def checked_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """As they were given. Raises ValueError."""
    read_settings(settings)
    return settings
