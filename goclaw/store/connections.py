"""Opening connections: what each pool's are set to, and the forms that values take on the wire."""

from collections.abc import Awaitable, Callable
from struct import Struct
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from goclaw.store.away import unavailable_when_away
from goclaw.store.pool import Pool, Row
from goclaw.store.pulse import Pulse, Watch

ACQUIRE_TIMEOUT_S: Final = 5
COMMAND_TIMEOUT_S: Final = 30
GROUP_LOCK_MS: Final = 100
"""Who needs a row that somebody holds for longer goes alone, so that nobody waits for it."""


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


async def set_for_groups(connection: "asyncpg.Connection[Row]") -> None:
    await set_for_kept_plans(connection)
    await connection.execute(f"set lock_timeout = {GROUP_LOCK_MS}")


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
