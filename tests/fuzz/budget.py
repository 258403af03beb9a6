"""How long and with which seeds: a slice that is the same each time."""

from collections.abc import Callable
from time import monotonic

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

SEED = 20261123
ROUND = 50
"""Examples between two looks at the clock."""


def explore(
    strategy: SearchStrategy[object],
    check: Callable[..., None],
    *,
    examples: int | None = None,
    until: float | None = None,
    start: int = SEED,
) -> None:
    """Checks that many examples, or as many as fit in until `monotonic()` says so; what fails is
    made small and raised. Ends the current example at most, so `until` is kept to its length.
    """
    number = start
    while examples is None or examples > 0:
        if until is not None and monotonic() >= until:
            return
        count = ROUND if examples is None else min(ROUND, examples)
        _round(strategy, check, count, number, until)
        number += 1
        examples = None if examples is None else examples - count


def _round(
    strategy: SearchStrategy[object],
    check: Callable[..., None],
    count: int,
    number: int,
    until: float | None,
) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(example: object) -> None:
        if until is None or monotonic() < until:
            check(example)

    one()
