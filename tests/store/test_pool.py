"""Connections that are parked beside the pool."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from goclaw.store.pool import PARKED_S, ParkingPool


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[ParkingPool]:
    pool = ParkingPool(dsn, min_size=1, max_size=2)
    await pool
    yield pool
    async with asyncio.timeout(5):
        await pool.close()


async def pid(pool: ParkingPool) -> Any:
    async with pool.acquire(timeout=5) as connection:
        return await connection.fetchval("select pg_backend_pid()")


async def test_one_after_the_other_uses_one_connection(pool: ParkingPool) -> None:
    pids = [await pid(pool) for _ in range(5)]
    assert len(set(pids)) == 1
    assert len(pool._parked) == 1


async def test_more_at_once_than_connections(pool: ParkingPool) -> None:
    async def slow() -> None:
        async with pool.acquire(timeout=5) as connection:
            await connection.execute("select pg_sleep(0.01)")

    async with asyncio.timeout(5):
        await asyncio.gather(*(slow() for _ in range(20)))
    assert len(pool._parked) == pool.get_size() == 2
    assert not pool._waiters


async def test_waiting_ends_in_time(pool: ParkingPool) -> None:
    async with pool.acquire(), pool.acquire():
        with pytest.raises(TimeoutError):
            async with pool.acquire(timeout=0.05):
                raise AssertionError
    assert await pid(pool)


async def test_whoever_stops_waiting_takes_no_connection_along(pool: ParkingPool) -> None:
    async with pool.acquire(), pool.acquire() as second:
        waiting = asyncio.create_task(pid(pool))
        await asyncio.sleep(0.01)
        pool._hand_over(second)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert pool._parked.pop()[1] is second


async def test_whoever_waits_is_told_of_a_failed_block(pool: ParkingPool) -> None:
    async def fails() -> None:
        async with pool.acquire() as connection:
            await connection.execute("select pg_sleep(0.05)")
            await connection.execute("select 1 / 0")

    async with asyncio.timeout(5):
        done = await asyncio.gather(fails(), fails(), pid(pool), pid(pool), return_exceptions=True)
    assert [isinstance(each, asyncpg.DivisionByZeroError) for each in done] == [1, 1, 0, 0]


async def test_closing_ends_the_wait(dsn: str) -> None:
    pool = ParkingPool(dsn, min_size=1, max_size=1)
    await pool
    async with pool.acquire():
        waiting = asyncio.create_task(pid(pool))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(pool.close())
        await asyncio.sleep(0.01)
    with pytest.raises(asyncpg.InterfaceError):
        await waiting
    await closing


async def test_a_lost_connection_is_replaced(pool: ParkingPool, dsn: str) -> None:
    before = await pid(pool)
    other = await asyncpg.connect(dsn)
    await other.execute("select pg_terminate_backend($1::int)", before)
    await other.close()
    async with asyncio.timeout(5):
        while pool._parked[0][1]._con is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await pid(pool) != before


async def test_a_failed_or_cancelled_block_goes_through_the_pool(pool: ParkingPool) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with pool.acquire() as connection:
            await connection.execute("select 1 / 0")
    assert not pool._parked
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), pool.acquire() as connection:
            await connection.execute("select pg_sleep(5)")
    assert not pool._parked
    async with asyncio.timeout(2):
        assert await pid(pool)


async def test_what_is_parked_for_long_goes_back(pool: ParkingPool) -> None:
    async with pool.acquire() as first, pool.acquire() as second:
        assert first is not second
    assert len(pool._parked) == 2
    since, connection = pool._parked[0]
    pool._parked[0] = (since - PARKED_S - 1, connection)
    await pid(pool)
    assert len(pool._parked) == 1


async def test_closing_waits_for_nothing_that_is_parked(dsn: str) -> None:
    pool = ParkingPool(dsn, min_size=1, max_size=2)
    await pool
    await pid(pool)
    async with asyncio.timeout(2):
        await pool.close()
    with pytest.raises(asyncpg.InterfaceError):
        await pid(pool)
