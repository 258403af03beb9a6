"""How many sockets and subscriptions an address and a credential may have open at a worker."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from goclaw.core.errors import RateLimited


class Places:
    """`code` is the error when all are taken; a limit of 0 is none."""

    def __init__(self, code: str, limits: dict[str, int]) -> None:
        self.code = code
        self.refused: Counter[str] = Counter(dict.fromkeys(limits, 0))
        self._limits = limits
        self._taken: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        """Of those who have any open."""
        return len(self._taken)

    @contextmanager
    def take(self, **holders: str) -> Iterator[None]:
        """One place for each kind of holder, for as long as the block runs.
        Raises RateLimited, having taken none.
        """
        places = list(holders.items())
        for kind, _ in places:
            limit = self._limits[kind]
            if limit and self._taken[kind, holders[kind]] >= limit:
                self._drop_unused(places)
                self.refused[kind] += 1
                raise RateLimited(self.code, subject=kind, limit=limit)
        self._taken.update(places)
        try:
            yield
        finally:
            self._taken.subtract(places)
            self._drop_unused(places)

    def _drop_unused(self, places: list[tuple[str, str]]) -> None:
        for place in places:
            if self._taken[place] <= 0:
                del self._taken[place]
