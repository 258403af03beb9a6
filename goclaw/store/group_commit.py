"""Statements that many callers run at once, in one round trip and one transaction.

While one is under way for one caller, others gather; then all of them go together. So a busy
worker asks seldom, and one with little to do waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final, TypeAlias

import asyncpg

from goclaw.core.errors import Unavailable
from goclaw.store.away import AWAY, RETRY_AFTER_S, unavailable
from goclaw.store.connections import ACQUIRE_TIMEOUT_S
from goclaw.store.pool import Pool, Row

AT_ONCE: Final = 16
TURN_S: Final = 5.0
"""How long a caller waits until its statement is sent."""

Arguments: TypeAlias = Sequence[object]


class Undone(Exception):
    """Of several statements one failed, so none has done anything: each is to be run alone."""


class Asked:
    """A caller that waits for its turn; `batch` is what runs its statement once that is sent."""

    __slots__ = ("answer", "arguments", "batch", "until")

    def __init__(self, arguments: Arguments) -> None:
        loop = asyncio.get_running_loop()
        self.arguments = arguments
        self.answer: asyncio.Future[Row | None] = loop.create_future()
        self.batch: asyncio.Task[None] | None = None
        self.until = loop.time() + TURN_S

    def fail(self, cause: BaseException | None) -> None:
        """Each gets an error of its own, as raising one leaves marks on it."""
        if self.answer.done():
            return
        if isinstance(cause, Undone):
            self.answer.set_exception(Undone())
        else:
            error = Unavailable("database_unavailable", retry_after_s=RETRY_AFTER_S)
            error.__cause__ = cause
            self.answer.set_exception(error)


class GroupCommit:
    """Of one statement that gives at most one row, which begins with its first argument.
    `promptly` is as in `fetch`.
    """

    def __init__(self, pool: Pool, sql: str, *, promptly: bool) -> None:
        self._pool = pool
        self._sql = sql
        self._pulse = pool.pulse if promptly else None
        self._busy = False
        self._waiting: deque[Asked] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def row(self, arguments: Arguments) -> Row | None:
        """Raises Undone, and Unavailable when the database is away. Who is cancelled once the
        statement was sent leaves when it has ended, whatever came of it.
        """
        if not self._busy:
            self._busy = True
            try:
                rows = await self._run((arguments,))
            finally:
                self._go_on()
            return rows[0] if rows else None
        asked = Asked(arguments)
        self._waiting.append(asked)
        if self._timer is None:
            self._look_at(asked.until)
        try:
            return await asked.answer
        except asyncio.CancelledError:
            if asked.batch is not None:
                await asyncio.wait((asked.batch,))
            raise

    def _look_at(self, time_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(time_s, self._look)

    def _look(self) -> None:
        """One timer for all that wait, as hardly anybody does for so long."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0].until <= now:
            self._waiting.popleft().fail(None)
        if self._waiting:
            self._look_at(self._waiting[0].until)

    def _go_on(self) -> None:
        """Whoever waits is next; those that gave up are left out."""
        batch: list[Asked] = []
        while self._waiting and len(batch) < AT_ONCE:
            asked = self._waiting.popleft()
            if not asked.answer.done():
                batch.append(asked)
        self._busy = bool(batch)
        if batch:
            task = asyncio.create_task(self._carry(batch))
            for asked in batch:
                asked.batch = task

    async def _carry(self, batch: list[Asked]) -> None:
        try:
            rows = await self._run([asked.arguments for asked in batch])
        except (Undone, Unavailable) as error:
            for asked in batch:
                asked.fail(error)
        except BaseException as error:
            for asked in batch:
                asked.fail(error)
            raise
        else:
            for asked, row in zip(batch, _each(batch, rows), strict=True):
                if not asked.answer.done():
                    asked.answer.set_result(row)
        finally:
            self._go_on()

    async def _run(self, batch: Sequence[Arguments]) -> list[Row]:
        pulse = self._pulse
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                with nullcontext() if pulse is None else pulse.watch(connection):
                    if len(batch) == 1:
                        rows: list[Row] = await connection.fetch(self._sql, *batch[0])
                    else:
                        rows = await connection.fetchmany(self._sql, batch)
                    return rows
        except AWAY as error:
            raise unavailable(error) from error
        except asyncpg.PostgresError as error:
            raise Undone from error


def _each(batch: Sequence[Asked], rows: Sequence[Row]) -> Sequence[Row | None]:
    """Rows come in the order they were asked for; who got none is found by what rows begin with."""
    if len(rows) == len(batch):
        return rows
    found = {row[0]: row for row in rows}
    return [found.get(asked.arguments[0]) for asked in batch]
