"""A B A B: all variants in every round, so that a noisy minute hits them alike."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

Measured = Mapping[str, float]
Measure = Callable[[], Awaitable[Measured]]


class Samples:
    """Figures by variant and name, one of each a round."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, variant: str, measured: Measured) -> None:
        for name, value in measured.items():
            self._samples[variant, name].append(value)

    def median(self, variant: str, name: str) -> float:
        return median(self._samples[variant, name])

    def highest(self, variant: str, name: str) -> float:
        return max(self._samples[variant, name])

    def ratio(self, name: str, variant: str, peer: str) -> float:
        return self.median(variant, name) / self.median(peer, name)

    def spread(self, name: str, variant: str, peer: str) -> str:
        """The lowest and highest ratio within one round."""
        pairs = zip(self._samples[variant, name], self._samples[peer, name], strict=True)
        ratios = [one / other for one, other in pairs]
        return f"{min(ratios):.2f}-{max(ratios):.2f}"


async def alternate(variants: Mapping[str, Measure], rounds: int) -> Samples:
    """The first measurement of each variant warms it up and is thrown away."""
    samples = Samples()
    for measure in variants.values():
        await measure()
    for _ in range(rounds):
        for variant, measure in variants.items():
            samples.add(variant, await measure())
    return samples
