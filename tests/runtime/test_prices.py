from decimal import Decimal
from itertools import product

import genai_prices
import pytest

from goclaw.core.provider_settings import Price, read_settings
from goclaw.models.providers import ProviderType
from goclaw.providers.checked import MAX_TOKENS, checked_reply
from goclaw.providers.messages import Reply, Usage
from goclaw.runtime.prices import cost_usd

CASES = [
    (ProviderType.OPENAI_COMPAT, "openai", "gpt-4o"),
    (ProviderType.OPENAI_COMPAT, "openai", "gpt-4o-mini"),
    (ProviderType.ANTHROPIC_NATIVE, "anthropic", "claude-sonnet-4-5"),
    (ProviderType.GEMINI_NATIVE, "google", "gemini-2.5-pro"),
    (ProviderType.MISTRAL, "mistral", "mistral-large-latest"),
]
USAGES = [Usage(0, 0), Usage(1000, 500), Usage(300_000, 10, cached_tokens=1200)]


@pytest.mark.parametrize(("provider_type", "vendor", "model"), CASES)
@pytest.mark.parametrize("usage", USAGES)
def test_as_the_library_computes_it(
    provider_type: ProviderType, vendor: str, model: str, usage: Usage
) -> None:
    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
    )
    expected = genai_prices.calc_price(counted, model, provider_id=vendor).total_price
    cost = cost_usd(provider_type, model, usage)
    assert cost is not None
    assert cost.quantize(Decimal("1e-9")) == expected.quantize(Decimal("1e-9"))


DEAREST = Price(input_usd=10_000, output_usd=10_000, cached_usd=10_000, cache_write_usd=10_000)
COUNTS = (0, 1, 12, MAX_TOKENS, MAX_TOKENS + 1, -1)


@pytest.mark.parametrize(("provider_type", "vendor", "model"), CASES)
@pytest.mark.parametrize("own", [None, DEAREST], ids=["published", "dearest"])
def test_whatever_a_vendor_counted_costs_something_that_can_be_stored(
    provider_type: ProviderType, vendor: str, model: str, own: Price | None
) -> None:
    del vendor
    for counts in product(COUNTS, repeat=4):
        usage = checked_reply(Reply(usage=Usage(*counts))).usage
        if usage is not None:
            cost = cost_usd(provider_type, model, usage, own)
            assert cost is not None
            assert 0 <= cost < 1_000_000, counts


def test_an_unknown_price_is_not_nothing() -> None:
    usage = Usage(1000, 10)
    assert cost_usd(ProviderType.OPENAI_COMPAT, "no-such-model-1", usage) is None
    assert cost_usd(ProviderType.OLLAMA, "llama3.3", usage) is None


def test_a_price_of_ones_own_counts_before_the_published_one() -> None:
    usage = Usage(1_000_000, 500_000, cached_tokens=200_000, cache_write_tokens=100_000)
    plain = Price(input_usd=2, output_usd=8)
    assert cost_usd(ProviderType.OPENAI_COMPAT, "gpt-4o", usage, plain) == 6
    detailed = Price(input_usd=2, output_usd=8, cached_usd=0.5, cache_write_usd=2.5)
    assert cost_usd(ProviderType.OLLAMA, "any", usage, detailed) == Decimal("5.75")


def test_nothing_is_a_price_too() -> None:
    free = Price(input_usd=0, output_usd=0)
    assert cost_usd(ProviderType.OPENAI_COMPAT, "gpt-4o", Usage(1000, 10), free) == 0
    cached = Price(input_usd=2, output_usd=8, cached_usd=0)
    usage = Usage(1_000_000, 0, cached_tokens=1_000_000)
    assert cost_usd(ProviderType.OPENAI_COMPAT, "gpt-4o", usage, cached) == 0


def test_one_price_may_be_for_all_models() -> None:
    settings = read_settings(
        {
            "prices": {
                "mine": {"input_usd": 1, "output_usd": 2},
                "*": {"input_usd": 3, "output_usd": 4.5},
            }
        }
    )
    assert settings.price_of("mine") == Price(input_usd=1, output_usd=2)
    assert settings.price_of("other") == Price(input_usd=3, output_usd=4.5)
    assert read_settings({}).price_of("other") is None


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (
            {"input_usd": -1, "output_usd": 2},
            r"prices\.mine\.input_usd: .* greater than or equal to 0",
        ),
        ({"input_usd": 1}, r"prices\.mine\.output_usd: field required"),
        ({"input_usd": "1", "output_usd": 2}, r"prices\.mine\.input_usd: .* valid number"),
        ({"input_usd": 1, "output_usd": float("inf")}, r"prices\.mine\.output_usd: .* finite"),
        ({"input_usd": 1, "output_usd": 2, "usd": 3}, r"prices\.mine\.usd: is not known"),
    ],
)
def test_a_wrong_price_is_refused_by_name(price: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_settings({"prices": {"mine": price}})


def test_the_embedded_model_is_free() -> None:
    assert cost_usd(ProviderType.LOCAL, "anything", Usage(10, 10)) == 0
