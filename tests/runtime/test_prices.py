from decimal import Decimal

import genai_prices
import pytest

from goclaw.models.providers import ProviderType
from goclaw.providers.messages import Usage
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


def test_an_unknown_price_is_not_nothing() -> None:
    usage = Usage(1000, 10)
    assert cost_usd(ProviderType.OPENAI_COMPAT, "no-such-model-1", usage) is None
    assert cost_usd(ProviderType.OLLAMA, "llama3.3", usage) is None


def test_the_embedded_model_is_free() -> None:
    assert cost_usd(ProviderType.LOCAL, "anything", Usage(10, 10)) == 0
