"""What a backup needs of the database: one moment of it, and room for what is put back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from goclaw.core.errors import Conflict
from goclaw.models.sealed import SealedColumn
from goclaw.store.away import unavailable_when_away
from goclaw.store.sealed import LEGACY

KEY_IDS: Final = " union ".join(
    f"select split_part({place.column}, ':', 2) from {place.table} "
    f"where {place.column} ~ '^v[0-9]+:[0-9a-f]+:'"
    for place in SealedColumn
)
"""Ciphertext names the key it was made with; that of older servers does not."""
UNNAMED: Final = " union all ".join(
    f"select 1 from {place.table} where starts_with({place.column}, '{LEGACY}:')"
    for place in SealedColumn
)
ANY_TABLE: Final = "select exists (select from pg_tables where schemaname = 'public')"
SPARE: Final = "goclaw_restored"
REPLACED: Final = "goclaw_replaced"
CLOSE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a database; other connections see it by its `id` while it is held."""

    id: str
    schema_version: str
    key_ids: tuple[str, ...]
    unnamed_key: bool


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[Snapshot]:
    """Held as long as the block lasts. Raises Unavailable when the database is away."""
    with unavailable_when_away():
        connection = await asyncpg.connect(dsn)
    try:
        moment = connection.transaction(isolation="repeatable_read", readonly=True)
        with unavailable_when_away():
            await moment.start()
            seen = await _seen(connection)
        yield seen
    finally:
        with unavailable_when_away():
            await connection.close(timeout=CLOSE_S)


async def _seen(connection: "asyncpg.Connection[asyncpg.Record]") -> Snapshot:
    return Snapshot(
        await connection.fetchval("select pg_export_snapshot()"),
        await connection.fetchval("select version_num from alembic_version"),
        tuple(sorted(row[0] for row in await connection.fetch(KEY_IDS))),
        await connection.fetchval(f"select exists ({UNNAMED})"),
    )


async def is_empty(dsn: str) -> bool:
    """Whether nothing was ever stored: a server that has started once has made its tables."""
    with unavailable_when_away():
        connection = await asyncpg.connect(dsn)
        try:
            return not await connection.fetchval(ANY_TABLE)
        finally:
            await connection.close()


async def make_spare(maintenance: str) -> str:
    """An empty database to restore into; its name. `maintenance` leads to another one of the
    same server.
    """
    await _run(
        maintenance,
        f"drop database if exists {SPARE}",
        f"drop database if exists {REPLACED}",
        f"create database {SPARE}",
    )
    return SPARE


async def drop_spare(maintenance: str) -> None:
    await _run(maintenance, f"drop database if exists {SPARE} with (force)")


async def use_spare(maintenance: str, name: str) -> None:
    """The spare database takes the place of `name`, which is then gone. Raises Conflict, with
    nothing changed, while somebody is connected to either.
    """
    try:
        await _run(
            maintenance,
            f"begin; alter database {name} rename to {REPLACED};"
            f" alter database {SPARE} rename to {name}; commit",
            f"drop database {REPLACED}",
        )
    except asyncpg.ObjectInUseError as error:
        raise Conflict("database_in_use") from error


async def _run(dsn: str, *statements: str) -> None:
    with unavailable_when_away():
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
