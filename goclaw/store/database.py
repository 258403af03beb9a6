"""The connection pools of a worker, and what runs on them.

Reads on hot paths are prepared asyncpg statements; writes and composed queries go through
SQLAlchemy. Both carry the caller, so that no statement can forget whose rows it may see.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, TypeVar

import asyncpg
import orjson
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from goclaw.core.callers import Caller
from goclaw.core.errors import Unavailable
from goclaw.store.pool import Pool, Row
from goclaw.store.pulse import Pulse, Watch
from goclaw.store.visibility import visible_to

log = structlog.get_logger()

T = TypeVar("T", bound=SQLModel)

ACQUIRE_TIMEOUT_S: Final = 5
COMMAND_TIMEOUT_S: Final = 30
RETRY_AFTER_S: Final = 2
REFUSED: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
AWAY: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    *REFUSED,
    InterfaceError,
    OperationalError,
)
"""What a database that is away, stopping, full or closed to us looks like."""


@contextmanager
def unavailable_when_away() -> Iterator[None]:
    """Raises Unavailable when the database does not answer."""
    try:
        yield
    except AWAY as error:
        raise _unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig, AWAY) or _is_refusal(error):
            raise _unavailable(error) from error
        raise


def _is_refusal(error: DBAPIError) -> bool:
    """SQLAlchemy has no class of its own for these."""
    return error.orig is not None and isinstance(error.orig.__cause__, REFUSED)


def _unavailable(error: Exception) -> Unavailable:
    log.warning("database.away", error=type(error).__name__)
    return Unavailable("database_unavailable", retry_after_s=RETRY_AFTER_S)


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
        raise _unavailable(error) from error


async def _rows(connection: Any, sql: str, arguments: Sequence[object]) -> list[Row]:
    try:
        rows: list[Row] = await connection.fetch(sql, *arguments)
    except asyncpg.InvalidCachedStatementError:
        rows = await connection.fetch(sql, *arguments)
    return rows


class Database:
    """The pools of one worker."""

    def __init__(self, pool: Pool, copies: Pool, engine: AsyncEngine) -> None:
        """`copies` is for COPY alone, which takes instants as `set_copy_codecs` says."""
        self.pool = pool
        self.copies = copies
        self.engine = engine

    def reads(self, caller: Caller, slots: asyncio.Semaphore | None = None) -> Reads:
        """`slots` are what the reads of one call may hold at once."""
        return Reads(self.pool, caller, slots)

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
        await self.pool.close()


def dumps(value: object) -> str:
    return orjson.dumps(value).decode()


INSTANT: Final = Struct("!q")
"""PostgreSQL's binary form of a time."""

EMPTY: Final = b"\x01{}"
"""What most JSON columns of a row hold."""


def jsonb(value: object) -> bytes:
    """PostgreSQL's binary form: a version byte before the text."""
    return b"\x01" + orjson.dumps(value)


def from_jsonb(raw: bytes) -> Any:
    return {} if raw == EMPTY else orjson.loads(raw[1:])


async def set_codecs(connection: "asyncpg.Connection[Row]") -> None:
    """JSON columns come and go as Python values; COPY needs the binary form."""
    await connection.set_type_codec(
        "jsonb", encoder=jsonb, decoder=from_jsonb, schema="pg_catalog", format="binary"
    )
    await connection.set_type_codec(
        "xid8", encoder=str, decoder=int, schema="pg_catalog", format="text"
    )


async def set_for_kept_plans(connection: "asyncpg.Connection[Row]") -> None:
    """PostgreSQL keeps the plan of a statement until its tables are analyzed again. One that was
    made when a table had a handful of rows would read it whole at each call, while it grows by
    thousands; none of our single statements has to, where there is an index.
    """
    await set_codecs(connection)
    await connection.execute("set enable_seqscan = off; set jit = off")


async def set_copy_codecs(connection: "asyncpg.Connection[Row]") -> None:
    """Instants are microseconds since 2000, as PostgreSQL keeps them: half the cost of a COPY
    went into turning times into these.
    """
    await set_codecs(connection)
    await connection.set_type_codec(
        "timestamptz",
        encoder=INSTANT.pack,
        decoder=lambda raw: INSTANT.unpack(raw)[0],
        schema="pg_catalog",
        format="binary",
    )


async def open_database(dsn: str, connections: int, *, statement_cache: bool) -> Database:
    """`connections`, three at least, are shared out: a third for transactions, one for COPY,
    the rest for single statements. Without a statement cache the server may stand behind a
    pooler that hands each transaction to another backend.
    """
    writers = max(1, connections // 3)
    size = 200 if statement_cache else 0
    pulse = Pulse(dsn)
    pool = await open_pool(
        dsn,
        max(1, connections - writers - 1),
        cache_size=size,
        init=set_for_kept_plans if statement_cache else set_codecs,
        pulse=pulse,
    )
    copies = await open_pool(dsn, 1, cache_size=size, init=set_copy_codecs, begin_with=0)
    return Database(pool, copies, open_engine(dsn, writers, cache_size=size, pulse=pulse))


async def open_pool(
    dsn: str,
    connections: int,
    *,
    cache_size: int = 200,
    init: Callable[["asyncpg.Connection[Row]"], Awaitable[None]] = set_codecs,
    begin_with: int = 1,
    pulse: Pulse | None = None,
) -> Pool:
    """Connects `begin_with` times at once. Raises Unavailable."""
    with unavailable_when_away():
        pool = await asyncpg.create_pool(
            dsn,
            min_size=begin_with,
            max_size=connections,
            command_timeout=COMMAND_TIMEOUT_S,
            statement_cache_size=cache_size,
            init=init,
            reset=_no_reset,
            record_class=Row,
        )
    return Pool(pool, pulse)


async def _no_reset(_: "asyncpg.Connection[Row]") -> None:
    """Single statements leave no session state behind, so the reset round trip is saved."""


def open_engine(
    dsn: str, connections: int, *, cache_size: int = 200, pulse: Pulse | None = None
) -> AsyncEngine:
    """With a `pulse`, transactions are watched as statements that are asked for promptly are."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args={
            "dsn": dsn,
            "statement_cache_size": cache_size,
            "command_timeout": COMMAND_TIMEOUT_S,
            "timeout": ACQUIRE_TIMEOUT_S,
        },
        pool_size=connections,
        max_overflow=0,
        pool_timeout=ACQUIRE_TIMEOUT_S,
        json_serializer=dumps,
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    if pulse is not None:
        _watch_transactions(engine, pulse)
    return engine


def _watch_transactions(engine: AsyncEngine, pulse: Pulse) -> None:
    def begin(connection: Any, record: Any, _: object) -> None:
        record.info["watch"] = watch = pulse.watch(connection.driver_connection)
        watch.begin()

    def end(_: object, record: Any) -> None:
        watch: Watch | None = record.info.pop("watch", None)
        if watch is not None:
            watch.end()

    event.listen(engine.sync_engine, "checkout", begin)
    event.listen(engine.sync_engine, "checkin", end)


def _refuse_closed(connection: Any, *_: object) -> None:
    """One that broke while nobody used it: the pool then opens another."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("closed")
