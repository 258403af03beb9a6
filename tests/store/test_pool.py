"""Connections that are parked beside the library's pool."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from goclaw.core.errors import Unavailable
from goclaw.store.connections import open_pool
from goclaw.store.database import fetch
from goclaw.store.pool import PARKED_S, Pool

PID = "select pg_backend_pid()"


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with asyncio.timeout(20), await open_pool(dsn, 2) as pool:
        yield pool


async def test_one_after_the_other_uses_one_connection(pool: Pool) -> None:
    pids = [await pool.fetchval(PID) for _ in range(5)]
    assert len(set(pids)) == 1
    assert pool.get_size() == 1


async def test_more_at_once_than_connections(pool: Pool) -> None:
    slow = (pool.fetchval("select pg_backend_pid() from pg_sleep(0.01)") for _ in range(20))
    assert len(set(await asyncio.gather(*slow))) == pool.get_size() == 2


async def test_waiting_ends_in_time(pool: Pool) -> None:
    async with pool.acquire(), pool.acquire():
        with pytest.raises(TimeoutError):
            async with pool.acquire(timeout=0.05):
                raise AssertionError
    assert await pool.fetchval(PID)


async def test_whoever_stops_waiting_takes_no_connection_along(pool: Pool) -> None:
    async with pool.acquire(), pool.acquire():
        waiting = [asyncio.create_task(pool.fetchval(PID)) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
    waiting[1].cancel()
    assert await waiting[2]
    async with pool.acquire(timeout=1), pool.acquire(timeout=1):
        pass


async def test_failed_and_cancelled_blocks_leave_sound_connections(pool: Pool) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.execute("select 1 / 0")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pool.execute("select pg_sleep(30)")
    async with asyncio.timeout(5):
        asked = [pool.fetchval("select pg_backend_pid() from pg_sleep(0.01)") for _ in range(4)]
        assert len(set(await asyncio.gather(*asked))) == 2


async def test_a_block_that_failed_inside_a_transaction_leaves_none_open(pool: Pool) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select 1 / 0")
    async with pool.acquire() as connection:
        assert not connection.is_in_transaction()


async def test_connections_that_broke_while_parked_are_replaced(pool: Pool, dsn: str) -> None:
    async with pool.acquire() as one, pool.acquire() as other:
        pids = {await one.fetchval(PID), await other.fetchval(PID)}
    killer = await asyncpg.connect(dsn)
    await killer.execute("select pg_terminate_backend(pid) from unnest($1::int[]) as pid", pids)
    await killer.close()
    await asyncio.sleep(0.05)
    async with pool.acquire() as one, pool.acquire() as other:
        assert not pids & {await one.fetchval(PID), await other.fetchval(PID)}


async def test_what_is_parked_for_long_goes_back(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.acquire(), pool.acquire():
        pass
    assert pool.parked == 2
    monkeypatch.setattr("goclaw.store.pool.PARKED_S", -PARKED_S)
    await pool.execute("select 1")
    assert pool.parked == 1


async def test_closing_waits_for_a_block_and_takes_no_more(dsn: str) -> None:
    pool = await open_pool(dsn, 2)
    await pool.execute("select 1")
    async with asyncio.timeout(5):
        async with pool.acquire() as connection:
            closing = asyncio.create_task(pool.close())
            await asyncio.sleep(0.01)
            assert not closing.done()
            assert await connection.fetchval("select 1") == 1
        await closing
    with pytest.raises(Unavailable):
        await fetch(pool, "select 1", ())
