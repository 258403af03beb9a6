"""One statement of many callers at once: they share a transaction, and no one's trouble."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from goclaw.core.errors import Unavailable
from goclaw.store import group_commit
from goclaw.store.database import Database, open_database

ADD = """
    with row as (insert into things (id, name) values ($1, $2) returning id)
    select id, txid_current() as transaction from row
"""
TOUCH = """
    with row as (update things set name = $2 where id = $1 returning id)
    select id, txid_current() as transaction from row
"""

SLOW = "select $1::uuid as id from pg_sleep($2)"
SLOW_S = 0.3
KILL = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query like '%pg_sleep($2)%' and state = 'active'
        and pid <> pg_backend_pid()
"""


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    database = await open_database(dsn, 12, statement_cache=True)
    try:
        await database.pool.execute("create table things (id uuid primary key, name text unique)")
        yield database
    finally:
        await database.close()


async def add(database: Database, name: str, id: UUID | None = None) -> int | None:
    """The transaction it was done in."""
    row = await database.grouped(ADD, (id or uuid4(), name), promptly=True)
    return None if row is None else row.transaction


async def names(database: Database) -> set[str]:
    return {row.name for row in await database.pool.fetch("select name from things")}


async def gathered(database: Database, *names: str) -> list[asyncio.Task[int | None]]:
    """The first is under way, the others wait for it."""
    tasks = [asyncio.create_task(add(database, name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_meanwhile_goes_together(database: Database) -> None:
    wanted = [f"thing {number}" for number in range(40)]
    first, *others = await asyncio.gather(*(add(database, name) for name in wanted))
    assert await names(database) == set(wanted)
    assert first not in others
    assert len(set(others)) == 3  # 16, 16 and 7


async def test_each_gets_its_own_row_or_none(database: Database) -> None:
    ids = [uuid4() for _ in range(9)]
    for id in ids[::2]:
        await add(database, str(id), id)
    rows = await asyncio.gather(*(database.grouped(TOUCH, (id, f"new {id}")) for id in ids))
    assert [None if row is None else row.id for row in rows] == [
        None if number % 2 else id for number, id in enumerate(ids)
    ]


async def test_one_that_is_refused_hinders_no_other(database: Database) -> None:
    await add(database, "taken")
    tasks = await gathered(database, "a", "b", "taken", "c\ud800", "d")
    done = await asyncio.gather(*tasks, return_exceptions=True)
    kinds = [type(each) for each in done]
    assert kinds[0] is kinds[1] is kinds[4] is int
    assert kinds[2] is asyncpg.UniqueViolationError
    assert kinds[3] is asyncpg.DataError
    assert await names(database) == {"taken", "a", "b", "d"}


async def test_nobody_waits_for_a_row_that_another_needs(database: Database) -> None:
    held, free = uuid4(), uuid4()
    await add(database, "held", held)
    await add(database, "free", free)
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("select from things where id = $1 for update", held)
        first = asyncio.create_task(database.grouped(TOUCH, (held, "first")))
        await asyncio.sleep(0)
        second = asyncio.create_task(database.grouped(TOUCH, (held, "second")))
        async with asyncio.timeout(2):
            assert await database.grouped(TOUCH, (free, "moved")) is not None
        assert not first.done()
        assert not second.done()
    assert await first is not None
    assert await second is not None


async def test_who_leaves_before_its_turn_has_done_nothing(database: Database) -> None:
    first, second, third = await gathered(database, "a", "b", "c")
    second.cancel()
    assert await first
    assert await third
    assert second.cancelled()
    assert await names(database) == {"a", "c"}


async def test_who_leaves_later_knows_that_it_is_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = asyncio.Event()
    run = group_commit.GroupCommit._run

    async def noted(self: group_commit.GroupCommit, batch: object) -> object:
        if len(batch) > 1:  # type: ignore[arg-type]
            sent.set()
        return await run(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(group_commit.GroupCommit, "_run", noted)
    first, second, third = await gathered(database, "a", "b", "c")
    await sent.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await names(database) == {"a", "b", "c"}
    assert await first
    assert await third


async def test_a_turn_that_does_not_come_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "TURN_S", 0.1)
    gate = asyncio.Event()
    run = group_commit.GroupCommit._run

    async def gated(self: group_commit.GroupCommit, batch: object) -> object:
        await gate.wait()
        return await run(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(group_commit.GroupCommit, "_run", gated)
    first, second = await gathered(database, "a", "b")
    with pytest.raises(Unavailable):
        await second
    gate.set()
    assert await first
    assert await add(database, "c")
    assert await names(database) == {"a", "c"}


async def test_a_database_that_goes_away_is_away_to_all_that_go_together(
    database: Database,
) -> None:
    def slow() -> asyncio.Task[object]:
        return asyncio.create_task(database.grouped(SLOW, (uuid4(), SLOW_S)))

    tasks = [slow() for _ in range(3)]
    await asyncio.sleep(0)
    assert await tasks[0]
    tasks.append(slow())
    await asyncio.sleep(SLOW_S / 2)
    await database.pool.fetch(KILL)
    done = await asyncio.gather(*tasks[1:], return_exceptions=True)
    assert [isinstance(each, Unavailable) for each in done] == [True, True, False]
    assert done[0] is not done[1]


async def test_few_connections_are_enough(dsn: str) -> None:
    database = await open_database(dsn, 3, statement_cache=True)
    try:
        await database.pool.execute("create table things (id uuid primary key, name text unique)")
        assert len({await add(database, name) for name in "abc"}) == 3
    finally:
        await database.close()
