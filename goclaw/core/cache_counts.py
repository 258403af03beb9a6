"""How useful a cache is."""

from dataclasses import dataclass


@dataclass(slots=True)
class CacheCounts:
    """Totals since the start of the worker. A negative hit is one of what is known not to exist;
    what may not be used while the lease does not hold is a miss; an eviction makes room.
    """

    hits: int = 0
    negative_hits: int = 0
    misses: int = 0
    evictions: int = 0
