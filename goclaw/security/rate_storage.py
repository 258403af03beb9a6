"""Where calls are counted: in this worker's memory, or in Redis for all workers together.

The counters of the library `limits` stand in Redis. Its memory storage starts a task for every
call, which looks at every counter there is (13 µs with one, 1.8 ms with 10,000), so the memory
of a worker is counted here, at the same interface and within a bound.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from pkgutil import resolve_name
from time import monotonic
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

MAX_COUNTERS: Final = 50_000
"""Beyond it the oldest are forgotten: about 10 MB."""

REDIS_STORAGE: Final = "limits.aio.storage:RedisStorage"
"""Imported only where Redis is used, as it adds a tenth of a second to a worker's start."""
REDIS_TIMEOUT_S: Final = 0.25
REDIS_PAUSE_S: Final = 5.0
"""How long calls are counted in memory before Redis is tried again."""


class Storage(Protocol):
    """`incr` is as in `limits.aio.storage`."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int: ...

    async def close(self) -> None: ...


class MemoryStorage:
    """Counters that begin in the order they end in, as all live equally long."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counters)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """What the counter says now; it ends `expiry` seconds after its first call."""
        now = self._clock()
        count, ends = self._counters.get(key, (0, 0.0))
        if ends > now:
            self._counters[key] = (count + amount, ends)
            return count + amount
        self._counters[key] = (amount, now + expiry)
        self._counters.move_to_end(key)
        self._forget(now)
        return amount

    async def close(self) -> None:
        self._counters.clear()

    def _forget(self, now: float) -> None:
        while self._counters:
            _, ends = next(iter(self._counters.values()))
            if ends > now and len(self._counters) <= MAX_COUNTERS:
                return
            self._counters.popitem(last=False)


class SharedStorage:
    """Redis, and this worker's memory while Redis is away."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        name = "redis+unix" if scheme == "unix" else scheme
        self._redis = resolve_name(REDIS_STORAGE)(
            f"async+{name}://{rest}",
            implementation="redispy",
            key_prefix="goclaw:rate",
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
        )
        self._memory = MemoryStorage()
        self._paused_until = 0.0

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        if monotonic() < self._paused_until:
            return await self._memory.incr(key, expiry, amount)
        try:
            async with asyncio.timeout(2 * REDIS_TIMEOUT_S):
                count: int = await self._redis.incr(key, expiry, amount)
                return count
        except Exception as error:  # noqa: BLE001 - whatever ails Redis, calls are still counted
            if monotonic() >= self._paused_until:
                log.warning("rates.redis_away", error=type(error).__name__)
            self._paused_until = monotonic() + REDIS_PAUSE_S
        return await self._memory.incr(key, expiry, amount)

    async def close(self) -> None:
        await self._redis.bridge.get_connection().aclose()


def open_storage(redis_url: str | None) -> Storage:
    return MemoryStorage() if redis_url is None else SharedStorage(redis_url)
