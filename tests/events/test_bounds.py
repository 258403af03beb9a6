"""Whatever does not keep up, memory stays bounded."""

import asyncio
import gc
import tracemalloc

import pytest

from goclaw.core.errors import Unavailable
from goclaw.events import outbox
from goclaw.events.backend import GAP_CHANNEL
from goclaw.events.channels import Listening
from goclaw.events.frames import Message
from goclaw.events.hub import EventHub
from goclaw.events.inbox import LIMIT_FRAMES
from goclaw.events.memory import MemoryBackend, MemoryBus
from goclaw.events.outbox import Outbox
from goclaw.events.subscription import Subscription
from goclaw.store.pool import Pool
from tests.events.writing import anyone, take, write


async def test_readers_that_never_read_cost_nothing(hub: EventHub, pool: Pool) -> None:
    start = await hub.head()
    stalled = [hub.subscribe(None, after, anyone) for after in (None, start) for _ in range(20)]
    listening = [hub.listen("c") for _ in range(20)]
    readers: tuple[Subscription | Listening, ...] = (*stalled, *listening)
    for each in readers:
        await each.__aenter__()
    await pour(hub, pool, 500)
    gc.collect()
    tracemalloc.start()
    await pour(hub, pool, 8_000)
    gc.collect()
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes < 500_000
    assert hub.counters.subscriptions_overflowed == 20
    assert max(len(each._queue) for each in readers) <= 256
    for each in readers:
        await each.__aexit__(None, None, None)


async def pour(hub: EventHub, pool: Pool, count: int) -> None:
    async with hub.subscribe(None, None, anyone) as live:
        for first in range(0, count, 250):
            await write(pool, *range(first, first + 250))
            hub.wake()
            for number in range(250):
                hub.deliver("c", {"number": number, "text": "x" * 500})
            await take(live, 250)


async def test_frames_nobody_fetches_become_a_gap() -> None:
    backend = MemoryBackend(MemoryBus())
    await backend.connect()
    await backend.subscribe("a")
    for number in range(LIMIT_FRAMES + 10):
        await backend.publish("a", str(number))
    assert (await backend.next_published()).channel == GAP_CHANNEL
    assert (await backend.next_published()).message == str(LIMIT_FRAMES)
    await backend.disconnect()


async def test_too_much_waiting_to_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LIMIT_MESSAGES", 10)
    bus = MemoryBus()
    backend = MemoryBackend(bus)
    released = asyncio.Event()

    async def stuck(_: object) -> None:
        await released.wait()

    backend._outbox = Outbox(stuck)
    waiting = [asyncio.create_task(backend.publish("a", str(number))) for number in range(25)]
    done, _ = await asyncio.wait(waiting, timeout=0.1)
    errors = [task.exception() for task in done]
    assert len(errors) == 15
    assert all(isinstance(error, Unavailable) for error in errors)
    assert backend.unsent == 15
    released.set()
    await asyncio.gather(*(task for task in waiting if task not in done))


async def test_a_failing_send_reaches_every_publisher_and_nobody_hangs() -> None:
    async def broken(_: object) -> None:
        raise ValueError("a bug")

    outbox = Outbox(broken)
    results = await asyncio.gather(
        *(outbox.put(Message("a", "x")) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [ValueError] * 3
