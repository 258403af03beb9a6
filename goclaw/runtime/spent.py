"""What the finished model calls of a run used."""

from dataclasses import dataclass, field
from decimal import Decimal

from goclaw.providers.messages import Usage


def nothing() -> Usage:
    return Usage(0, 0)


def summed(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cached_tokens + other.cached_tokens,
        one.cache_write_tokens + other.cache_write_tokens,
        one.reasoning_tokens + other.reasoning_tokens,
    )


def summed_costs(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The sum of what is known; None when nothing is."""
    if one is None or other is None:
        return one if other is None else other
    return one + other


@dataclass(slots=True)
class Spent:
    """`model_calls` are those that `usage` counts; a cost is unknown when none is known."""

    usage: Usage = field(default_factory=nothing)
    cost_usd: Decimal | None = None
    model_calls: int = 0
    tool_calls: int = 0

    def add(self, usage: Usage | None, cost_usd: Decimal | None) -> None:
        """One more model call."""
        self.model_calls += 1
        self.usage = summed(self.usage, usage or nothing())
        self.cost_usd = summed_costs(self.cost_usd, cost_usd)
