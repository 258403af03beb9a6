"""The migrations make what the models say, once, and never touch a newer database."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlmodel import SQLModel

from goclaw.core.errors import Conflict, Unavailable
from goclaw.models.events import Xid8
from goclaw.store.connections import open_engine
from goclaw.store.job_schema import is_ours
from goclaw.store.migrate import database_version, migrate, newest_version
from goclaw.store.tables import TABLES
from tests.support.databases import run_sql, with_database


@pytest.fixture
async def empty(postgres: str, request: pytest.FixtureRequest) -> str:
    name = f"m_{abs(hash(request.node.name))}"
    await run_sql(postgres, f"drop database if exists {name}", f"create database {name}")
    return with_database(postgres, name)


async def test_migrations_make_what_the_models_say(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TABLES
    monkeypatch.setitem(ischema_names, "xid8", Xid8)
    engine = open_engine(dsn, 1)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(
                    sync, opts={"include_name": lambda name, *_: is_ours(name)}
                ),
                SQLModel.metadata,
            )
        )
    await engine.dispose()
    assert differences == []


async def test_two_servers_migrate_one_database_once(empty: str) -> None:
    assert await database_version(empty) is None
    versions = await asyncio.gather(migrate(empty), migrate(empty))
    assert list(versions) == [newest_version()] * 2
    assert await database_version(empty) == newest_version()


async def test_a_newer_database_is_refused_and_left_alone(dsn: str) -> None:
    await run_sql(dsn, "update alembic_version set version_num = '9999'")
    with pytest.raises(Conflict, match="9999"):
        await migrate(dsn)
    assert await database_version(dsn) == "9999"


async def test_a_database_that_is_away_says_so() -> None:
    with pytest.raises(Unavailable):
        await migrate("postgresql://nobody@127.0.0.1:1/none")
