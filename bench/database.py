"""One PostgreSQL for all servers, with a database for the gateway and one for the peers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg

from bench.peers.schema import TABLES
from goclaw.embedded.postgres import EmbeddedPostgres

CONNECTIONS: Final = 250
PEERS: Final = "bench_peers"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Gives the address of its database `goclaw`."""
    server = EmbeddedPostgres(folder, CONNECTIONS)
    dsn = server.start().dsn
    try:
        yield dsn
    finally:
        server.stop(hurry=True)


def database_of(dsn: str, name: str) -> str:
    return dsn.replace("/goclaw?", f"/{name}?")


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def create_database(dsn: str, name: str) -> str:
    async with connected(dsn) as connection:
        await connection.execute(f"create database {name}")
    return database_of(dsn, name)


async def peer_database(dsn: str, key: str) -> str:
    """With one agent, and one key that may use it."""
    peers = await create_database(dsn, PEERS)
    agent = uuid4()
    async with connected(peers) as connection:
        for statement in TABLES:
            await connection.execute(statement)
        await connection.execute(
            "insert into peer_agents values ($1, 'agent-0', 'bench-1', 'You answer shortly.')",
            agent,
        )
        await connection.execute(
            "insert into peer_keys values ($1, $2, 'bench', $3)",
            uuid4(),
            sha256(key.encode()).hexdigest(),
            agent,
        )
    return peers


async def copy_rows(source: str, query: str, target: str, table: str) -> int:
    """What `query` gives becomes a table of another database; tells how many columns it has."""
    data = BytesIO()
    async with connected(source) as connection:
        columns = (await connection.prepare(query)).get_attributes()
        await connection.copy_from_query(query, output=data, format="binary")
    data.seek(0)
    described = ", ".join(f'"{column.name}" {column.type.name}' for column in columns)
    async with connected(target) as connection:
        await connection.execute(f"create table {table} ({described}, primary key (id))")
        await connection.copy_to_table(table, source=data, format="binary")
        await connection.execute(f"analyze {table}")
    return len(columns)
