"""LISTEN/NOTIFY between workers."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from uuid import UUID

import asyncpg
import pytest
from broadcaster import Broadcast

from goclaw.core.errors import Unavailable
from goclaw.events.backend import GAP_CHANNEL
from goclaw.events.live import POLL_S
from goclaw.events.postgres import PostgresBackend
from goclaw.store.fanout import ListenSession, PostgresFanout
from goclaw.store.pool import Pool

LISTENERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where application_name = 'goclaw listen' and datname = current_database()"
)


@pytest.fixture
async def backend(pool: Pool, dsn: str) -> AsyncIterator[PostgresBackend]:
    backend = PostgresBackend(PostgresFanout(pool, dsn))
    await backend.connect()
    await backend.subscribe("a")
    yield backend
    await backend.disconnect()


async def messages(backend: PostgresBackend, count: int) -> list[str]:
    async with asyncio.timeout(10):
        return [(await backend.next_published()).message for _ in range(count)]


async def test_a_thousand_at_once_all_arrive_in_order(backend: PostgresBackend) -> None:
    texts = [f"{number} {'x' * 200}" for number in range(1000)]
    await asyncio.gather(*(backend.publish("a", text) for text in texts))
    assert await messages(backend, 1000) == texts


async def test_one_tick_is_one_statement(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[int] = []
    notify = backend._sql.notify

    async def counted(frames: list[str], bodies: list[tuple[UUID, bytes]]) -> None:
        statements.append(len(frames))
        await notify(frames, bodies)

    monkeypatch.setattr(backend._sql, "notify", counted)
    await asyncio.gather(*(backend.publish("a", "same") for _ in range(100)))
    assert await messages(backend, 100) == ["same"] * 100
    assert statements == [1]


@pytest.mark.parametrize("text", ["x" * 9_000, "ü" * 5_000, "x" * 2_000_000, "", 'a"\\\n\x01'])
async def test_any_size_arrives(backend: PostgresBackend, text: str) -> None:
    await asyncio.gather(*(backend.publish("a", each) for each in ("before", text, "after")))
    assert await messages(backend, 3) == ["before", text, "after"]


async def test_a_body_that_is_gone_is_a_gap(backend: PostgresBackend, pool: Pool) -> None:
    await backend.publish("a", "x" * 9_000)
    await pool.execute("truncate fanout_payloads")
    assert (await backend.next_published()).channel == GAP_CHANNEL


async def test_old_bodies_are_purged(backend: PostgresBackend, pool: Pool) -> None:
    await backend.publish("a", "x" * 9_000)
    await pool.execute("update fanout_payloads set at = now() - interval '2 minutes'")
    backend._purge_at = 0
    await backend.publish("a", "x" * 9_000)
    assert await pool.fetchval("select count(*) from fanout_payloads") == 1


async def test_a_killed_connection_is_back_before_anybody_polls(
    backend: PostgresBackend, pool: Pool
) -> None:
    assert await pool.fetch(LISTENERS)
    killed_at = monotonic()
    assert (await backend.next_published()).channel == GAP_CHANNEL
    await backend.publish("a", "again")
    assert await messages(backend, 1) == ["again"]
    assert monotonic() - killed_at < POLL_S
    assert (backend.connected, backend.reconnects) == (True, 1)


async def test_publishing_outlives_killed_pool_connections(
    backend: PostgresBackend, pool: Pool, dsn: str
) -> None:
    await asyncio.gather(*(pool.fetchval("select pg_sleep(0.05)") for _ in range(5)))
    killer = await asyncpg.connect(dsn)
    await killer.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
        "and datname = current_database()"
    )
    await backend.publish("a", "still")
    await killer.close()
    found = ""
    while found != "still":  # the listening connection was killed too; it may be back or not
        found = (await messages(backend, 1))[0]
        if found != "still":
            await backend.publish("a", "still")


async def test_a_silent_connection_is_noticed(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unanswered(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise TimeoutError

    session = backend._link._session
    assert isinstance(session, ListenSession)
    monkeypatch.setattr("goclaw.store.fanout.HEARTBEAT_S", 0.05)
    monkeypatch.setattr("asyncpg.Connection.execute", unanswered)
    session._gone.set()
    gaps = [await backend.next_published() for _ in range(2)]
    assert [gap.channel for gap in gaps] == [GAP_CHANNEL] * 2
    assert (backend.connected, backend.reconnects) == (True, 2)


async def test_without_a_database_publishing_fails_clearly_and_connects_later(
    pool: Pool, dsn: str
) -> None:
    sql = PostgresFanout(pool, "postgresql://nobody@127.0.0.1:1/none")
    backend = PostgresBackend(sql)
    await backend.connect()
    assert not backend.connected
    sql._dsn = dsn
    await backend.subscribe("a")
    assert (await backend.next_published()).channel == GAP_CHANNEL
    await pool.close()
    with pytest.raises(Unavailable):
        await backend.publish("a", "x")
    await backend.disconnect()
    with pytest.raises(Unavailable):
        await backend.publish("a", "x")


async def test_it_serves_the_library_it_is_made_for(pool: Pool, dsn: str) -> None:
    backend = PostgresBackend(PostgresFanout(pool, dsn))
    async with Broadcast(backend=backend) as broadcast, broadcast.subscribe("a") as subscriber:
        await broadcast.publish("b", "not this")
        await broadcast.publish("a", "this")
        async with asyncio.timeout(5):
            assert (await subscriber.get()).message == "this"
