"""Passing messages between and within workers."""

import asyncio
from collections.abc import Sequence

import pytest

from goclaw.core.errors import Unavailable
from goclaw.events.channels import Gap
from goclaw.events.frames import Message
from goclaw.events.hub import EventHub
from goclaw.events.memory import MemoryBackend, MemoryBus
from goclaw.store.events import PostgresLog
from goclaw.store.pool import Pool
from tests.events.conftest import make_hub
from tests.events.writing import nothing_comes, take


async def test_every_worker_hears_it_once_and_in_order(hub: EventHub, other_hub: EventHub) -> None:
    async with hub.listen("run:1") as here, other_hub.listen("run:1") as there:
        for number in range(50):
            hub.post("run:1", {"number": number})
        await hub.publish("run:1", {"number": 50})
        await hub.publish("run:2", {"number": 51})
        for listening in (here, there):
            messages = await take(listening, 51, 2)
            assert [message["number"] for message in messages] == list(range(51))
            assert await nothing_comes(listening)


async def test_local_delivery_needs_no_database(hub: EventHub, pool: Pool) -> None:
    async with hub.listen("run:1") as here:
        hub.deliver("run:1", {"a": 1})
        await pool.close()
        hub.post("run:1", {"a": 2})
        with pytest.raises(Unavailable):
            await hub.publish("run:1", {"a": 3})
        assert await take(here, 3, 0.1) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert hub.figures()["publish_errors"] >= 1


async def test_a_thousand_publishes_at_once(hub: EventHub, other_hub: EventHub) -> None:
    async with other_hub.listen("c") as there:
        heard: set[int] = set()

        async def hear() -> None:
            async for message in there:
                assert isinstance(message, dict)
                heard.add(message["number"])
                if len(heard) == 1000:
                    return

        hearing = asyncio.create_task(hear())
        await asyncio.gather(
            *(hub.publish("c", {"number": number, "x": "x" * 150}) for number in range(1000))
        )
        await asyncio.wait_for(hearing, 5)
    assert hub.figures()["publish_errors"] == 0


async def test_a_large_message_arrives(hub: EventHub, other_hub: EventHub) -> None:
    async with other_hub.listen("c") as there:
        await hub.publish("c", {"text": "ü" * 100_000})
        assert await take(there, 1, 2) == [{"text": "ü" * 100_000}]


async def test_a_slow_listener_finds_a_gap_and_then_the_newest(hub: EventHub) -> None:
    async with hub.listen("c") as here:
        for number in range(600):
            hub.deliver("c", {"number": number})
        first, *rest = await take(here, 90)
        assert first is Gap.GAP
        assert [message["number"] for message in rest] == list(range(511, 600))
        assert await nothing_comes(here)
    assert hub.counters.messages_dropped == 512


async def two_hubs(pool: Pool) -> tuple[MemoryBus, EventHub, EventHub]:
    bus = MemoryBus()
    hub, other = (EventHub(PostgresLog(pool), MemoryBackend(bus)) for _ in range(2))
    await hub.start()
    await other.start()
    return bus, hub, other


async def test_a_lost_connection_is_a_gap_for_every_listener(pool: Pool) -> None:
    bus, hub, other = await two_hubs(pool)
    async with other.listen("a") as a, other.listen("b") as b:
        bus.cut()
        assert [await take(listening, 1, 1) for listening in (a, b)] == [[Gap.GAP]] * 2
        await hub.publish("a", {"back": True})
        assert await take(a, 1, 1) == [{"back": True}]
    assert (other.figures()["reconnects"], other.counters.gaps) == (1, 1)
    await hub.stop()
    await other.stop()


async def test_a_repeated_message_is_heard_once(pool: Pool) -> None:
    _, hub, other = await two_hubs(pool)
    async with other.listen("a") as there:
        send = hub._backend._outbox._send

        async def twice(messages: Sequence[Message]) -> None:
            await send(messages)
            await send(messages)

        hub._backend._outbox._send = twice
        await hub.publish("a", {"n": 1})
        await hub.publish("a", {"n": 2})
        assert await take(there, 2, 1) == [{"n": 1}, {"n": 2}]
        assert await nothing_comes(there)
    await hub.stop()
    await other.stop()


async def test_garbage_from_elsewhere_is_counted_and_skipped(pool: Pool) -> None:
    bus, hub, other = await two_hubs(pool)
    async with other.listen("a") as there:
        for session in bus.sessions:
            session.on_frame("not a frame")
            session.on_frame("0;1,3:axyz")
            session.on_frame("1;1,6:aw:1:{}")
        assert await take(there, 1, 1) == [{}]
    assert other.counters.messages_malformed == 1
    await hub.stop()
    await other.stop()


async def test_stopping_ends_listeners_and_leaves_none(pool: Pool, dsn: str) -> None:
    hub = make_hub(pool, dsn)
    await hub.start()
    async with hub.listen("a") as here:
        ending = asyncio.create_task(anext(here, None))
        hub.post("a", {"last": True})
        await asyncio.sleep(0)
        await hub.stop()
        assert await ending == {"last": True}
        assert await anext(here, None) is None
    with pytest.raises(Unavailable):
        hub.listen("a")
    assert not hub._channels._listeners
