"""The connection pools of a worker, and what runs on them.

Reads on hot paths are prepared asyncpg statements; writes and composed queries go through
SQLAlchemy. Both carry the caller, so that no statement can forget whose rows it may see.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from goclaw.core.callers import Caller
from goclaw.store.away import AWAY, unavailable, unavailable_when_away
from goclaw.store.connections import (
    ACQUIRE_TIMEOUT_S,
    open_engine,
    open_pool,
    set_copy_codecs,
    set_for_groups,
    set_for_kept_plans,
)
from goclaw.store.group_commit import Arguments, GroupCommit, Undone
from goclaw.store.pool import Pool, Row
from goclaw.store.pulse import Pulse
from goclaw.store.visibility import visible_to

log = structlog.get_logger()

T = TypeVar("T", bound=SQLModel)

GROUP_CONNECTIONS: Final = 2


class Db(AsyncSession):
    """One transaction of one caller. `outdated` is what the caches of all workers have to
    forget once it has committed: ids by kind.
    """

    caller: Caller
    outdated: dict[str, set[str]]

    def visible(self, table: type[T]) -> SelectOfScalar[T]:
        """Every select begins here: the rows of `table` that the caller may see."""
        statement = select(table)
        condition = visible_to(table, self.caller)
        return statement if condition is None else statement.where(condition)


@dataclass(slots=True)  # a frozen one takes three times as long to make
class Reads:
    """Reads of one caller outside a transaction."""

    pool: Pool
    caller: Caller
    slots: asyncio.Semaphore | None = None

    async def records(self, sql: str, arguments: Sequence[object]) -> list[Row]:
        if self.slots is None:
            return await fetch(self.pool, sql, arguments, promptly=True)
        async with self.slots:
            return await fetch(self.pool, sql, arguments, promptly=True)


async def fetch(
    pool: Pool, sql: str, arguments: Sequence[object], *, promptly: bool = False
) -> list[Row]:
    """One statement, one round trip; asked again once when a migration outdated its plan.
    `promptly` is for callers who are better told at once: a database that answers nobody is away
    to them after `PATIENCE_S` and `ANSWER_S`, and else after `COMMAND_TIMEOUT_S`.
    """
    try:
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            if not promptly or pool.pulse is None:
                return await _rows(connection, sql, arguments)
            with pool.pulse.watch(connection):
                return await _rows(connection, sql, arguments)
    except AWAY as error:
        raise unavailable(error) from error


async def _rows(connection: Any, sql: str, arguments: Sequence[object]) -> list[Row]:
    try:
        rows: list[Row] = await connection.fetch(sql, *arguments)
    except asyncpg.InvalidCachedStatementError:
        rows = await connection.fetch(sql, *arguments)
    return rows


class Database:
    """The pools of one worker."""

    def __init__(
        self, pool: Pool, copies: Pool, engine: AsyncEngine, groups: Pool | None = None
    ) -> None:
        """`copies` is for traces alone, as COPY takes instants as `set_copy_codecs` says; `groups`
        for what `grouped` sends, where connections suffice.
        """
        self.pool = pool
        self.copies = copies
        self.engine = engine
        self._groups = groups
        self._commits: dict[str, GroupCommit] = {}

    def reads(self, caller: Caller, slots: asyncio.Semaphore | None = None) -> Reads:
        """`slots` are what the reads of one call may hold at once."""
        return Reads(self.pool, caller, slots)

    async def grouped(
        self, sql: str, arguments: Arguments, *, promptly: bool = False
    ) -> Row | None:
        """Like `fetch`, of a statement that gives at most one row, which begins with its first
        argument: calls that come meanwhile go together. Who is cancelled leaves when the statement
        has ended, if it was sent.
        """
        if self._groups is not None:
            commits = self._commits.get(sql)
            if commits is None:
                commits = GroupCommit(self._groups, sql, promptly=promptly)
                self._commits[sql] = commits
            try:
                return await commits.row(arguments)
            except Undone:
                pass
        rows = await fetch(self.pool, sql, arguments, promptly=promptly)
        return rows[0] if rows else None

    @asynccontextmanager
    async def begin(self, caller: Caller) -> AsyncIterator[Db]:
        """Commits at the end of the block, rolls back when it raises."""
        with unavailable_when_away():
            async with Db(self.engine, expire_on_commit=False) as db, db.begin():
                db.caller, db.outdated = caller, {}
                yield db

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        await fetch(self.pool, "select 1", (), promptly=True)

    async def close(self) -> None:
        await self.engine.dispose()
        await self.copies.close()
        if self._groups is not None:
            await self._groups.close()
        await self.pool.close()


async def open_database(dsn: str, connections: int, *, statement_cache: bool) -> Database:
    """`connections`, three at least, are shared out: a third for transactions, one for COPY, two
    for what goes together where more than one remains then, the rest for single statements.
    Without a statement cache the server may stand behind a pooler that hands each transaction to
    another backend.
    """
    writers = max(1, connections // 3)
    singles = max(1, connections - writers - 1)
    pulse = Pulse(dsn)
    if not statement_cache:
        pool = await open_pool(dsn, singles, cache_size=0, pulse=pulse)
        copies = await open_pool(dsn, 1, cache_size=0, init=set_copy_codecs, begin_with=0)
        return Database(pool, copies, open_engine(dsn, writers, cache_size=0, pulse=pulse))
    groups: Pool | None = None
    if singles > GROUP_CONNECTIONS + 1:
        singles -= GROUP_CONNECTIONS
        groups = await open_pool(
            dsn, GROUP_CONNECTIONS, init=set_for_groups, begin_with=0, pulse=pulse
        )
    pool = await open_pool(dsn, singles, init=set_for_kept_plans, pulse=pulse)
    copies = await open_pool(dsn, 1, init=set_copy_codecs, begin_with=0)
    return Database(pool, copies, open_engine(dsn, writers, pulse=pulse), groups)
