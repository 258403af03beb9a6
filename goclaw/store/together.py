"""One statement for several callers at once."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Final

import asyncpg

from goclaw.store.database import ACQUIRE_TIMEOUT_S, AWAY, _unavailable
from goclaw.store.pool import Pool, Row

AT_ONCE: Final = 16


class Together:
    """Each caller's row begins with the first of its arguments."""

    def __init__(self, pool: Pool, sql: str, *, width: int = 1, promptly: bool = False) -> None:
        self._pool = pool
        self._sql = sql
        self._width = width
        self._promptly = promptly
        self._under_way = 0
        self._waiting: deque[tuple[Sequence[Any], asyncio.Future[Row | None]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sizes: list[int] = []

    async def row(self, arguments: Sequence[Any]) -> Row | None:
        if self._under_way < self._width:
            self._under_way += 1
            try:
                return await self._alone(arguments)
            finally:
                self._next()
        future: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arguments, future))
        return await future

    def _next(self) -> None:
        if not self._waiting:
            self._under_way -= 1
            return
        size = min(AT_ONCE, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(size)]
        task = asyncio.create_task(self._run(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: list[tuple[Sequence[Any], asyncio.Future[Row | None]]]) -> None:
        try:
            rows = await self._many([arguments for arguments, _ in batch])
            found = {row[0]: row for row in rows}
            for arguments, future in batch:
                if not future.done():
                    future.set_result(found.get(arguments[0]))
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        finally:
            self._next()

    async def _alone(self, arguments: Sequence[Any]) -> Row | None:
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                with self._watch(connection):
                    rows = await connection.fetch(self._sql, *arguments)
        except AWAY as error:
            raise _unavailable(error) from error
        return rows[0] if rows else None

    async def _many(self, batch: list[Sequence[Any]]) -> list[Row]:
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                with self._watch(connection):
                    rows: list[Row] = await connection.fetchmany(self._sql, batch)
                    return rows
        except AWAY as error:
            raise _unavailable(error) from error

    def _watch(self, connection: Any) -> Any:
        if self._promptly and self._pool.pulse is not None:
            return self._pool.pulse.watch(connection)
        return nullcontext()
