"""Connections that go from statement to statement without passing through the library's pool."""

import asyncio
from collections import deque
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import asyncpg

from goclaw.store.pulse import Pulse

PARKED_S: Final = 60.0
"""How long a connection waits for the next statement before it goes back into the pool."""


class Row(asyncpg.Record):  # type: ignore[misc]
    """A record whose columns are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Pool:
    """asyncpg's pool opens, counts and closes the connections. Acquiring from it and releasing
    to it costs as much as a small statement, so a connection that ends its block well is parked
    here instead. In return a block must leave no session state behind.
    """

    def __init__(self, pool: "asyncpg.Pool[Row]", pulse: Pulse | None = None) -> None:
        """`pool` is nobody else's to acquire from, as what is parked here counts as in use."""
        self._pool = pool
        self.pulse = pulse
        self._slots = asyncio.Semaphore(pool.get_max_size())
        self._parked: deque[tuple[float, Any]] = deque()
        self._closing = False

    def acquire(self, *, timeout: float | None = None) -> "Acquired":
        """For `async with`. `timeout` in seconds; raises TimeoutError, and what connecting does."""
        return Acquired(self, timeout)

    async def take(self, timeout_s: float | None) -> Any:
        if self._slots.locked():
            async with asyncio.timeout(timeout_s):
                await self._slots.acquire()
        else:
            await self._slots.acquire()
        try:
            while self._parked:
                connection = self._parked.pop()[1]
                if is_open(connection):
                    return connection
                await self._pool.release(connection)
            return await self._pool.acquire(timeout=timeout_s)
        except BaseException:
            self._slots.release()
            raise

    async def give_back(self, connection: Any, *, well: bool) -> None:
        """What did not end well may still be cancelling its statement: the pool waits for that."""
        now = monotonic()
        try:
            if well and not self._closing:
                self._parked.append((now, connection))
            else:
                await self._pool.release(connection)
        finally:
            self._slots.release()
        if self._parked and self._parked[0][0] + PARKED_S < now:
            await self._pool.release(self._parked.popleft()[1])

    async def fetch(self, sql: str, *arguments: object) -> list[Row]:
        async with self.acquire() as connection:
            rows: list[Row] = await connection.fetch(sql, *arguments)
            return rows

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> None:
        async with self.acquire() as connection:
            await connection.execute(sql, *arguments)

    def get_size(self) -> int:
        """Connections open."""
        size: int = self._pool.get_size()
        return size

    @property
    def parked(self) -> int:
        """Connections waiting here for their next statement."""
        return len(self._parked)

    async def close(self) -> None:
        """Waits for the blocks that are under way."""
        self._closing = True
        while self._parked:
            await self._pool.release(self._parked.pop()[1])
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Acquired:
    __slots__ = ("_connection", "_pool", "_timeout")

    def __init__(self, pool: Pool, timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout

    async def __aenter__(self) -> Any:
        self._connection = await self._pool.take(self._timeout)
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._pool.give_back(self._connection, well=kind is None)


def is_open(connection: Any) -> bool:
    """False, too, once the pool has taken a lost connection back by itself."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False
