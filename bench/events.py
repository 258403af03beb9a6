"""The fan-out over PostgreSQL, as two workers use it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from bench.database import connected, create_database
from bench.report import Row, at_most
from bench.scene import Scene
from goclaw.events.backend import GAP_CHANNEL
from goclaw.events.postgres import PostgresBackend
from goclaw.store.connections import open_pool
from goclaw.store.fanout import PostgresFanout
from goclaw.store.pool import Pool

AT_ONCE: Final = 1_000
CHANNEL: Final = "bench"
WAIT_S: Final = 20
KILL: Final = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where application_name = 'goclaw listen' and datname = current_database()
"""


@asynccontextmanager
async def worker(pool: Pool, dsn: str) -> AsyncIterator[PostgresBackend]:
    backend = PostgresBackend(PostgresFanout(pool, dsn))
    await backend.connect()
    await backend.subscribe(CHANNEL)
    try:
        yield backend
    finally:
        await backend.disconnect()


async def measure_events(scene: Scene) -> Sequence[Row]:
    dsn = await create_database(scene.dsn, "bench_events")
    async with (
        await open_pool(dsn, 8) as pool,
        worker(pool, dsn) as one,
        worker(pool, dsn) as other,
    ):
        failed, lost, slowest_s = 0, 0, 0.0
        for _ in range(scene.effort.rounds):
            failures, heard, took_s = await publish_at_once(one, other)
            failed, lost = failed + failures, lost + AT_ONCE - heard
            slowest_s = max(slowest_s, took_s)
        back_s = [await killed(one, other, dsn) for _ in range(scene.effort.rounds)]
    rounds = scene.effort.rounds
    return [
        at_most(
            f"{AT_ONCE:,} simultaneous publishes, failed or not heard by another worker",
            failed + lost,
            0,
            unit="",
            details=f"{rounds} times, slowest {slowest_s * 1e3:.0f} ms until the last was heard",
        ),
        at_most(
            "killed listening connection: gap announced and next message heard",
            max(back_s),
            1,
            unit=" s",
            details=f"slowest of {rounds}, each with its gap",
        ),
    ]


async def publish_at_once(one: PostgresBackend, other: PostgresBackend) -> tuple[int, int, float]:
    """How many failed, how many the other worker heard, and seconds until it had."""
    began = monotonic()
    texts = {f"{number} {'x' * 200}" for number in range(AT_ONCE)}
    listening = asyncio.create_task(hear(other, AT_ONCE))
    mirrored = asyncio.create_task(hear(one, AT_ONCE))
    done = await asyncio.gather(
        *(one.publish(CHANNEL, text) for text in texts), return_exceptions=True
    )
    heard = await listening
    took_s = monotonic() - began
    await mirrored
    return sum(each is not None for each in done), len(texts & heard), took_s


async def hear(backend: PostgresBackend, count: int) -> set[str]:
    """Up to `count` messages; fewer when no more come."""
    heard: set[str] = set()
    try:
        async with asyncio.timeout(WAIT_S):
            while len(heard) < count:
                event = await backend.next_published()
                heard.add(event.message)
    except TimeoutError:
        pass
    return heard


async def killed(one: PostgresBackend, other: PostgresBackend, dsn: str) -> float:
    """Seconds from the kill until both have told a gap and hear each other again."""
    async with connected(dsn) as connection:
        began = monotonic()
        assert await connection.fetchval(KILL) == 2
    async with asyncio.timeout(WAIT_S):
        for backend in (one, other):
            assert (await backend.next_published()).channel == GAP_CHANNEL
        await one.publish(CHANNEL, "again")
        for backend in (one, other):
            assert (await backend.next_published()).message == "again"
    return monotonic() - began
