"""What a model call costs: by its provider's own prices, or else by what its vendor publishes."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from time import time
from typing import Final

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice

from goclaw.core.provider_settings import Price as OwnPrice
from goclaw.models.providers import ProviderType
from goclaw.providers.messages import Usage

VENDORS: Final = {
    ProviderType.ANTHROPIC_NATIVE: "anthropic",
    ProviderType.OPENAI_COMPAT: "openai",
    ProviderType.GEMINI_NATIVE: "google",
    ProviderType.GROQ: "groq",
    ProviderType.DEEPSEEK: "deepseek",
    ProviderType.MISTRAL: "mistral",
    ProviderType.XAI: "x-ai",
}
FREE: Final = frozenset({ProviderType.LOCAL})
MILLION: Final = Decimal(1_000_000)
PLAIN: Final = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
Price = Callable[[Usage], Decimal]


def cost_usd(
    provider_type: ProviderType, model: str, usage: Usage, own: OwnPrice | None = None
) -> Decimal | None:
    """None when nobody named a price; that is not the same as nothing."""
    if own is not None:
        return _own(own)(usage)
    if provider_type in FREE:
        return Decimal(0)
    hour = int(time()) // 3600
    price = _price(VENDORS.get(provider_type), model, hour)
    return None if price is None else price(usage)


@lru_cache(maxsize=512)
def _price(vendor: str | None, model: str, _hour: int) -> Price | None:
    """Looked up anew every hour, as some prices depend on the time of day."""
    if vendor is None or not model:
        return None
    try:
        _, info = get_snapshot().find_provider_model(model, None, vendor, None)
    except LookupError:
        return None
    prices = info.get_prices(datetime.now(UTC))
    return _flat(prices) or _tiered(prices)


@lru_cache(maxsize=512)
def _own(price: OwnPrice) -> Price:
    read, cached = price.input_usd, price.cached_usd
    write = price.cache_write_usd
    rates = (
        read,
        price.output_usd,
        read if cached is None else cached,
        read if write is None else write,
    )
    return _by_rates(*(Decimal(str(rate)) for rate in rates))


def _flat(prices: ModelPrice) -> Price | None:
    """The library takes 150 us a call; a price without tiers is four multiplications."""
    rates = [getattr(prices, name, None) or Decimal(0) for name in PLAIN]
    if not all(isinstance(rate, Decimal) for rate in rates):
        return None
    read, written, cached, cache_write = rates
    return _by_rates(read, written, cached or read, cache_write or read)


def _by_rates(read: Decimal, written: Decimal, cached: Decimal, cache_write: Decimal) -> Price:
    def price(usage: Usage) -> Decimal:
        fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        return (
            fresh * read
            + usage.cached_tokens * cached
            + usage.cache_write_tokens * cache_write
            + usage.output_tokens * written
        ) / MILLION

    return price


def _tiered(prices: ModelPrice) -> Price:
    def price(usage: Usage) -> Decimal:
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        return prices.calc_price(counted)["total_price"]

    return price
