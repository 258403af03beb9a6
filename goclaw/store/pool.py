"""A pool whose connections go from statement to statement without passing through it."""

from collections import deque
from time import monotonic
from types import TracebackType
from typing import Any, Final

import asyncpg

PARKED_S: Final = 60.0
"""How long a connection waits beside the pool before it goes back into it."""

DEFAULTS: Final = {
    "max_queries": 50_000,
    "max_inactive_connection_lifetime": 300.0,
    "loop": None,
    "connection_class": asyncpg.Connection,
    "record_class": asyncpg.Record,
}


class ParkingPool(asyncpg.Pool):  # type: ignore[misc]
    """Connections that end a block well are parked, and taken by the next one.

    asyncpg's own way is three timers and a task each time, which costs as much as a small
    statement. So a block must leave no session state behind. While somebody waits for a
    connection none is parked, so that nobody waits for one that is idle.
    """

    __slots__ = ("_parked", "_waiting")

    def __init__(self, dsn: str, **options: Any) -> None:
        """`options` are those of `asyncpg.create_pool`."""
        super().__init__(dsn, **(DEFAULTS | options))
        self._parked: deque[tuple[float, Any]] = deque()
        self._waiting = 0

    def acquire(self, *, timeout: float | None = None) -> "Acquired":
        """For `async with` alone."""
        return Acquired(self, timeout)

    async def take(self, timeout_s: float | None) -> Any:
        while self._parked:
            _, connection = self._parked.pop()
            if _is_open(connection):
                return connection
            await self.release(connection)
        self._waiting += 1
        try:
            return await self._acquire(timeout_s)
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Any) -> None:
        if self._waiting or self.is_closing() or not _is_open(connection):
            await self.release(connection)
            return
        now_s = monotonic()
        self._parked.append((now_s, connection))
        if self._parked[0][0] + PARKED_S < now_s:
            await self.release(self._parked.popleft()[1])

    async def close(self) -> None:
        await self._empty()
        await super().close()

    async def _empty(self) -> None:
        while self._parked:
            await self.release(self._parked.pop()[1])


class Acquired:
    __slots__ = ("_connection", "_pool", "_timeout")

    def __init__(self, pool: ParkingPool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._connection: Any = None

    async def __aenter__(self) -> Any:
        self._connection = await self._pool.take(self._timeout)
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """What ended badly may still be cancelling its statement: the pool waits for that."""
        if kind is None:
            await self._pool.give_back(self._connection)
        else:
            await self._pool.release(self._connection)


def _is_open(connection: Any) -> bool:
    """False, too, once the pool has taken a lost connection back by itself."""
    return connection._con is not None and not connection.is_closed()  # noqa: SLF001
