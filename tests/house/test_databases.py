"""Databases that tests lend each other: whoever gets one cannot tell it from a new one."""

import asyncpg
import pytest

from tests.support.databases import Databases, reset_of, run_sql

STATE = """
    select json_build_array(
        (select json_agg(t) from alembic_version t),
        (select json_agg(t order by name) from chores t),
        (select json_agg((schemaname, sequencename, last_value)) from pg_sequences),
        (select json_agg((table_name, column_name, data_type) order by table_name, column_name)
            from information_schema.columns where table_schema = 'public')
    )::text
"""
DUSTING = "insert into chores (name, progress) values ('it''s dusting', '{}')"


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture
async def lender(postgres: str) -> Databases:
    return Databases(postgres)


@pytest.mark.parametrize(
    "change",
    [
        DUSTING,
        "select nextval('trust_epoch_id_seq')",
        "alter sequence trust_epoch_id_seq restart 7",
        "create table left_behind (id int)",
        "alter table agents rename to away",
        "alter table agents add column left_behind text",
        "alter table runs drop constraint runs_session_id_fkey",
        "update alembic_version set version_num = '9999'",
        "delete from alembic_version",
    ],
)
async def test_whatever_was_done_to_it_the_next_one_is_new(lender: Databases, change: str) -> None:
    async with lender.lent() as dsn:
        new = await ask(dsn, STATE)
        await run_sql(dsn, change)
    async with lender.lent() as dsn:
        assert await ask(dsn, STATE) == new


async def test_rows_that_migrations_made_come_back(
    lender: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lender.lent() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(DUSTING)
        monkeypatch.setattr(lender, "_reset", await reset_of(connection))
        await connection.execute("delete from chores")
        await connection.close()
    async with lender.lent() as again:
        assert again == dsn
        assert await ask(dsn, "select array_agg(name) from chores") == ["it's dusting"]


async def test_one_that_was_only_written_to_is_lent_again(lender: Databases) -> None:
    async with lender.lent() as first:
        await run_sql(first, DUSTING)
    async with lender.lent() as second, lender.lent() as third:
        assert first == second != third


async def test_who_is_still_connected_is_sent_away(lender: Databases) -> None:
    async with lender.lent() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(f"begin; {DUSTING}")
    async with lender.lent() as again:
        assert again == dsn
        assert await ask(dsn, "select count(*) from chores") == 0
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.execute("commit")
