"""A pool whose connections go from statement to statement without passing through it."""

import asyncio
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
    """A connection that ends its block well goes to whoever waits for one, or is parked.

    asyncpg's own way is three timers and a task each time, which costs as much as a small
    statement. In return a block must leave no session state behind.
    """

    __slots__ = ("_parked", "_waiters")

    def __init__(self, dsn: str, **options: Any) -> None:
        """`options` are those of `asyncpg.create_pool`."""
        super().__init__(dsn, **(DEFAULTS | options))
        self._parked: deque[tuple[float, Any]] = deque()
        self._waiters: deque[asyncio.Future[Any]] = deque()

    def acquire(self, *, timeout: float | None = None) -> "Acquired":
        """For `async with` alone."""
        return Acquired(self, timeout)

    async def take(self, timeout_s: float | None) -> Any:
        while True:
            if self._parked:
                connection = self._parked.pop()[1]
            elif self._queue.qsize() or self.is_closing():
                return await self._acquire(timeout_s)
            else:
                connection = await self._handed_over(timeout_s)
            if _is_open(connection):
                return connection
            if connection is not None:
                await self.release(connection)

    async def give_back(self, connection: Any) -> None:
        if self.is_closing():
            await self.give_up(connection)
            return
        self._pass_on(connection)
        if self._parked and self._parked[0][0] + PARKED_S < monotonic():
            await self.release(self._parked.popleft()[1])

    async def give_up(self, connection: Any) -> None:
        """What ended badly may still be cancelling its statement: the pool waits for that."""
        try:
            await self.release(connection)
        finally:
            self._hand_over(None)

    async def close(self) -> None:
        while self._parked:
            await self.release(self._parked.pop()[1])
        await super().close()

    async def _handed_over(self, timeout_s: float | None) -> Any:
        """A connection; None when there is one to be had from the pool."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = loop.create_future()
        self._waiters.append(waiter)
        timer = None if timeout_s is None else loop.call_later(timeout_s, _too_late, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._return(waiter.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _return(self, connection: Any) -> None:
        """What was handed to somebody who had just stopped waiting."""
        if connection is None:
            self._hand_over(None)
        else:
            self._pass_on(connection)

    def _pass_on(self, connection: Any) -> None:
        if not self._hand_over(connection):
            self._parked.append((monotonic(), connection))

    def _hand_over(self, connection: Any) -> bool:
        """Whether somebody was waiting."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False


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
        if kind is None:
            await self._pool.give_back(self._connection)
        else:
            await self._pool.give_up(self._connection)


def _too_late(waiter: "asyncio.Future[Any]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


def _is_open(connection: Any) -> bool:
    """False, too, once the pool has taken a lost connection back by itself."""
    inner = connection and connection._con  # noqa: SLF001
    return inner is not None and not inner.is_closed()
