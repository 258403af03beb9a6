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
NAMES: Final = """
    select tablename from pg_tables
    where schemaname = current_schema() and tablename <> 'alembic_version'
"""
"""Those of the job engine, too."""

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


class Databases:
    """Of the server at `uri`, which has a template."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._free: list[str] = []
        self._shape: Shape = []
        self._rows: dict[str, str] = {}
        """What migrations put into tables, as JSON."""
        self._empty = ""

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """The address of a migrated database without rows that nobody else uses."""
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
            await self._look_into(connection)
        finally:
            await connection.close()
        return name

    async def _look_into(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Deleting is much cheaper than truncating, which makes new files for the tables and all
        their indexes; and nobody asks about references when all rows go.
        """
        if self._empty:
            return
        tables = [row["tablename"] for row in await connection.fetch(NAMES)]
        for table in tables:
            rows = await connection.fetchval(f"select jsonb_agg(to_jsonb(row)) from {table} row")
            if rows is not None:
                self._rows[table] = rows
        self._empty = ";\n".join(
            (
                "set session_replication_role = replica",
                *(f"delete from {table}" for table in tables),
                "select setval(seqrelid, seqstart, false) from pg_sequence",
            )
        )

    async def _tidied(self, dsn: str) -> bool:
        """False when it is not what it was made as, or somebody does not leave it."""
        connection = await asyncpg.connect(dsn)
        try:
            if not await connection.fetchval(SEND_AWAY):
                return False
            if await shape_of(connection) != self._shape:
                return False
            await connection.execute(self._empty)
            for table, rows in self._rows.items():
                kept = f"jsonb_populate_recordset(null::{table}, $1)"
                await connection.execute(f"insert into {table} select * from {kept}", rows)
            return True
        finally:
            await connection.close()
