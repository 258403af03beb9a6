"""Redis between workers, against a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest

from goclaw.core.errors import Unavailable
from goclaw.events.backend import GAP_CHANNEL
from goclaw.events.channels import Gap
from goclaw.events.hub import EventHub
from goclaw.events.link import LONGEST_DELAY_S
from goclaw.events.live import POLL_S
from goclaw.events.redis import RedisBackend
from goclaw.store.events import PostgresLog
from goclaw.store.pool import Pool
from tests.events.writing import anyone, nothing_comes, numbers, take, write
from tests.support.redis import RedisServer, with_redis

pytestmark = with_redis


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def backend(server: RedisServer) -> AsyncIterator[RedisBackend]:
    backend = RedisBackend(server.url)
    await backend.connect()
    await backend.subscribe("a")
    yield backend
    await backend.disconnect()


@pytest.fixture
async def hubs(server: RedisServer, pool: Pool) -> AsyncIterator[tuple[EventHub, EventHub]]:
    hubs = [EventHub(PostgresLog(pool), RedisBackend(server.url)) for _ in range(2)]
    for hub in hubs:
        await hub.start()
    yield hubs[0], hubs[1]
    for hub in hubs:
        await hub.stop()


async def command(backend: RedisBackend, *words: str) -> None:
    await backend._redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def messages(backend: RedisBackend, count: int) -> list[str]:
    async with asyncio.timeout(10):
        return [(await backend.next_published()).message for _ in range(count)]


async def test_a_thousand_at_once_all_arrive_in_order(backend: RedisBackend) -> None:
    texts = [f"{number} {'ü' * 200}" for number in range(1000)]
    await asyncio.gather(*(backend.publish("a", text) for text in texts))
    assert await messages(backend, 1000) == texts


@pytest.mark.parametrize("text", ["x" * 2_000_000, "", 'a"\\\n\x00\x01'])
async def test_any_text_arrives(backend: RedisBackend, text: str) -> None:
    await asyncio.gather(*(backend.publish("a", each) for each in ("before", text, "after")))
    assert await messages(backend, 3) == ["before", text, "after"]


async def test_a_killed_connection_is_back_before_anybody_polls(backend: RedisBackend) -> None:
    await command(backend, "CLIENT", "KILL", "TYPE", "pubsub")
    killed_at = monotonic()
    async with asyncio.timeout(10):
        assert (await backend.next_published()).channel == GAP_CHANNEL
    await backend.publish("a", "again")
    assert await messages(backend, 1) == ["again"]
    assert monotonic() - killed_at < POLL_S


async def test_a_server_that_stops_and_starts(server: RedisServer, backend: RedisBackend) -> None:
    await server.kill()
    with pytest.raises(Unavailable):
        await backend.publish("a", "lost")
    assert not backend.connected
    await server.start()
    started_at = monotonic()
    async with asyncio.timeout(5):
        assert (await backend.next_published()).channel == GAP_CHANNEL
    assert monotonic() - started_at < 2 * LONGEST_DELAY_S
    await backend.publish("a", "again")
    assert await messages(backend, 1) == ["again"]


async def test_a_silent_connection_is_noticed(
    backend: RedisBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goclaw.events.redis.HEARTBEAT_S", 0.5)
    await command(backend, "CLIENT", "KILL", "TYPE", "pubsub")
    assert (await backend.next_published()).channel == GAP_CHANNEL
    await asyncio.sleep(2)
    assert backend.reconnects == 1  # an idle connection that answers stays
    await command(backend, "CLIENT", "PAUSE", "1700", "ALL")
    async with asyncio.timeout(5):
        assert (await backend.next_published()).channel == GAP_CHANNEL


async def test_hubs_wake_and_tell_each_other(hubs: tuple[EventHub, EventHub], pool: Pool) -> None:
    here, there = hubs
    async with there.subscribe(None, None, anyone) as events, there.listen("c") as listening:
        await write(pool, 1)
        here.wake()
        assert await numbers(events, 1, 1) == [1]
        await here.publish("c", {"a": 1})
        assert await take(listening, 1, 1) == [{"a": 1}]
        assert await nothing_comes(listening)


async def test_hubs_survive_a_restart_and_lose_no_event(
    hubs: tuple[EventHub, EventHub], server: RedisServer, pool: Pool
) -> None:
    here, there = hubs
    async with there.subscribe(None, None, anyone) as events, there.listen("c") as listening:
        await server.kill()
        await write(pool, 1)
        here.wake()
        assert await numbers(events, 1, 3) == [1]  # by the poll
        await server.start()
        assert await take(listening, 1, 3) == [Gap.GAP]
        await write(pool, 2)
        here.wake()
        assert await numbers(events, 1, 3) == [2]
