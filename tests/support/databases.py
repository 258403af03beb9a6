"""Databases that tests borrow from each other: to tidy one costs a tenth of making one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from uuid import uuid4

import asyncpg

TEMPLATE: Final = "goclaw_template"
LEAVE_S: Final = 10
SEND_AWAY: Final = f"""
    select coalesce(bool_and(pg_terminate_backend(pid, {LEAVE_S * 1000})), true)
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend'
"""
CATALOGS: Final = (
    "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_db_role_setting",
    "pg_extension", "pg_index", "pg_namespace", "pg_proc", "pg_rewrite", "pg_sequence",
    "pg_trigger", "pg_type",
)  # fmt: skip
SHAPE: Final = " union all ".join(
    f"select '{name}', count(*), max(xmin::text::bigint) from {name}"
    for name in (*CATALOGS, "alembic_version")
)
"""Differs once anything was defined, changed or dropped, and with another version."""
TABLES: Final = """
    select oid::regclass::text as name from pg_class
    where relkind in ('r', 'p') and not relispartition
        and relnamespace = 'public'::regnamespace and relname <> 'alembic_version'
"""
SEQUENCES: Final = "select seqrelid::regclass::text as name from pg_sequence"
KEEP: Final = """
    select format(
        'insert into %1$s overriding system value'
        ' select * from jsonb_populate_recordset(null::%1$s, %2$L)', '{0}', jsonb_agg(t)
    ) from {0} t having count(*) > 0
"""
COUNT_ON: Final = (
    "select format('select setval(%L, %s, %L)', '{0}', last_value, is_called) from {0}"
)

Shape: TypeAlias = list[tuple[str, int, int]]


def with_database(uri: str, name: str) -> str:
    return uri.replace("/goclaw?", f"/{name}?")


async def run_sql(uri: str, *statements: str) -> None:
    connection = await asyncpg.connect(uri)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def shape_of(connection: "asyncpg.Connection[asyncpg.Record]") -> Shape:
    return [tuple(row) for row in await connection.fetch(SHAPE)]


async def reset_of(connection: "asyncpg.Connection[asyncpg.Record]") -> str:
    """The statements that make it again what it is now, as long as it keeps its shape. They
    delete rows: truncating makes new files for the tables and all their indexes.
    """
    tables = [row["name"] for row in await connection.fetch(TABLES)]
    sequences = [row["name"] for row in await connection.fetch(SEQUENCES)]
    kept = [await connection.fetchval(KEEP.format(name)) for name in tables]
    return ";\n".join(
        (
            # Nobody asks about references when all rows go.
            "set session_replication_role = replica",
            *(f"delete from {name}" for name in tables),
            *(statement for statement in kept if statement is not None),
            *[await connection.fetchval(COUNT_ON.format(name)) for name in sequences],
        )
    )


class Databases:
    """Of the server at `uri`, which has a template."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._free: list[str] = []
        self._shape: Shape = []
        self._reset = ""

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """The address of a database as migrations leave it, which nobody else uses."""
        name = self._free.pop() if self._free else await self._made()
        dsn = with_database(self.uri, name)
        try:
            yield dsn
        finally:
            if await self._tidied(dsn):
                self._free.append(name)
            else:
                await run_sql(self.uri, f"drop database {name} with (force)")

    async def _made(self) -> str:
        name = f"t_{uuid4().hex}"
        make = f"create database {name} template {TEMPLATE} strategy file_copy"
        await run_sql(self.uri, make)
        connection = await asyncpg.connect(with_database(self.uri, name))
        try:
            self._shape = await shape_of(connection)
            self._reset = await reset_of(connection)
        finally:
            await connection.close()
        return name

    async def _tidied(self, dsn: str) -> bool:
        """False when it is not what it was made as, or somebody does not leave it."""
        connection = await asyncpg.connect(dsn)
        try:
            if not await connection.fetchval(SEND_AWAY):
                return False
            if await shape_of(connection) != self._shape:
                return False
            await connection.execute(self._reset)
            return True
        finally:
            await connection.close()
