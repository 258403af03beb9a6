"""Durable events: missed ones, live ones, and the seam between them."""

import asyncio
import random
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from goclaw.core.errors import InvalidInput, RateLimited, Unavailable
from goclaw.core.ids import uuid7
from goclaw.events.cursor import Cursor, encode_cursor
from goclaw.events.hub import EventHub
from goclaw.events.live import POLL_S
from goclaw.events.row import EventRow
from goclaw.store.events import append_events
from goclaw.store.pool import Pool
from tests.events.conftest import make_hub
from tests.events.test_postgres_fanout import LISTENERS
from tests.events.writing import anyone, event, nothing_comes, numbers, take, write


async def test_live_events_carry_everything(hub: EventHub, pool: Pool) -> None:
    async with hub.subscribe(None, None, anyone) as events:
        await write(pool, 1)
        hub.wake()
        (row,) = await take(events, 1, 1)
    assert (row.topic, row.kind, row.user_id) == ("agent", "agent.changed", "ada")
    assert (row.agent_id, row.audience, row.payload) == (None, "user", {"number": 1})
    assert row.at.tzinfo is not None


async def test_another_worker_is_woken(hub: EventHub, other_hub: EventHub, pool: Pool) -> None:
    async with other_hub.subscribe(None, None, anyone) as events:
        await write(pool, 1)
        hub.wake()
        assert await numbers(events, 1, 1) == [1]


async def test_wakes_are_coalesced_and_not_sent_while_nobody_watches(
    hub: EventHub, other_hub: EventHub, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(100):
        hub.wake()
    await asyncio.sleep(0.05)
    assert hub.counters.wakes_sent == 1
    hub._wakes._watched_until = 0  # as after half a minute without an announcement
    hub.wake()
    await asyncio.sleep(0.05)
    assert hub.counters.wakes_sent == 1
    async with other_hub.subscribe(None, None, anyone) as events:
        await asyncio.sleep(0.1)
        await write(pool, 1)
        hub.wake()
        assert await numbers(events, 1, 1) == [1]
        assert hub.counters.wakes_sent == 2
        monkeypatch.setattr("goclaw.events.wakes.ANNOUNCE_S", 0)
        hub._wakes._watched_until = 0
        await write(pool, 2)
        other_hub.notify_committed()
        assert await numbers(events, 1, 1) == [2]
        await asyncio.sleep(0.1)
        hub.wake()
        await asyncio.sleep(0.05)
        assert hub.counters.wakes_sent == 3


async def test_an_event_right_after_the_first_subscription_is_not_left_to_the_poll(
    hub: EventHub, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer may not have heard yet that somebody wants to be woken."""
    monkeypatch.setattr("goclaw.events.live.HEARD_S", 0.5)
    monkeypatch.setattr("goclaw.events.live.POLL_S", 60)
    async with hub.subscribe(None, None, anyone) as events:
        await asyncio.sleep(0.1)
        await write(pool, 1)
        assert await numbers(events, 1, 3) == [1]


async def test_a_poll_finds_what_nobody_announced(hub: EventHub, pool: Pool) -> None:
    async with hub.subscribe(None, None, anyone) as events:
        await asyncio.sleep(0.2)
        await write(pool, 1)
        assert await numbers(events, 1, 4) == [1]


async def test_topics_and_visibility(hub: EventHub, pool: Pool) -> None:
    shown = {1, 3}

    def visible(row: EventRow) -> bool:
        return row.payload["number"] in shown

    async with hub.subscribe(["agent", "run:1"], None, visible) as events:
        await write(pool, 0, 1, 2)
        await write(pool, 3, topic="provider")
        await write(pool, 3, 4, topic="run:1")
        hub.wake()
        assert await numbers(events, 2) == [1, 3]
        shown.add(5)
        await write(pool, 5)
        hub.wake()
        assert await numbers(events, 1) == [5]


async def test_missed_events_come_first_then_live(hub: EventHub, pool: Pool) -> None:
    start = await hub.head()
    for first in range(0, 1000, 250):
        await write(pool, *range(first, first + 250))
    async with hub.subscribe(["agent"], start, anyone) as events:
        assert await numbers(events, 600) == list(range(600))
        await write(pool, 1000)
        hub.wake()
        assert await numbers(events, 401) == list(range(600, 1001))
        cursor = events.last
    async with hub.subscribe(["agent"], cursor, anyone) as events:
        assert await nothing_comes(events)


async def test_a_slow_transaction_holds_back_and_then_all_come_in_order(
    hub: EventHub, pool: Pool
) -> None:
    async with hub.subscribe(None, None, anyone) as events, pool.acquire() as slow:
        async with slow.transaction():
            await append_events(slow, [event(1)])
            for number in range(2, 30):
                await write(pool, number)
                hub.wake()
            assert await nothing_comes(events, 0.5)
        committed_at = monotonic()
        assert await numbers(events, 29) == list(range(1, 30))
        assert monotonic() - committed_at < POLL_S


async def test_a_slow_reader_is_closed_and_resumes(pool: Pool, dsn: str) -> None:
    hub = make_hub(pool, dsn, queue_limit=20)
    await hub.start()
    async with (
        hub.subscribe(None, None, anyone) as slow,
        hub.subscribe(None, None, anyone) as fast,
    ):
        got: list[int] = []
        reading = asyncio.create_task(read_into(fast, got, 60))
        await write(pool, 0)
        hub.wake()
        (first,) = await take(slow, 1)
        for number in range(1, 60):
            await write(pool, number)
            hub.wake()
            await asyncio.sleep(0.001)
        await asyncio.wait_for(reading, 5)
        assert got == list(range(60))
        with pytest.raises(RateLimited) as refusal:
            await take(slow, 60)
        assert refusal.value.code == "too_many_events"
        assert (hub.counters.subscriptions_overflowed, hub.figures()["subscriptions"]) == (1, 1)
    async with hub.subscribe(None, first.cursor, anyone) as resumed:
        assert await numbers(resumed, 59) == list(range(1, 60))
    await hub.stop()


async def read_into(source: AsyncIterator[EventRow], got: list[int], count: int) -> None:
    async for row in source:
        got.append(row.payload["number"])
        await asyncio.sleep(0)
        if len(got) == count:
            return


async def test_a_burst_does_not_run_over_readers_who_keep_up(hub: EventHub, pool: Pool) -> None:
    async with hub.subscribe(None, None, anyone) as events:
        got: list[int] = []
        reading = asyncio.create_task(read_into(events, got, 3000))
        await write(pool, *range(3000))
        hub.wake()
        await asyncio.wait_for(reading, 10)
    assert got == list(range(3000))


async def test_many_subscribers_are_one_read(hub: EventHub, pool: Pool) -> None:
    subscriptions = [hub.subscribe(["agent"], None, anyone) for _ in range(500)]
    for subscription in subscriptions:
        await subscription.__aenter__()
    await asyncio.sleep(0.05)
    before = hub.counters.log_reads
    await write(pool, 1)
    hub.wake()
    for subscription in subscriptions:
        assert await numbers(subscription, 1, 2) == [1]
    assert hub.counters.log_reads - before <= 2
    for subscription in subscriptions:
        await subscription.__aexit__(None, None, None)
    assert hub.figures()["subscriptions"] == 0
    reads = hub.counters.log_reads
    hub.wake()
    await asyncio.sleep(0.05)
    assert hub.counters.log_reads == reads


async def test_a_killed_connection_loses_no_event(
    hub: EventHub, other_hub: EventHub, pool: Pool
) -> None:
    async with other_hub.subscribe(None, None, anyone) as events:
        await write(pool, 1)
        hub.wake()
        assert await numbers(events, 1) == [1]
        assert await pool.fetch(LISTENERS)
        killed_at = monotonic()
        await write(pool, 2)
        hub.wake()
        assert await numbers(events, 1) == [2]
        assert monotonic() - killed_at < POLL_S
        await write(pool, 3)
        hub.wake()
        assert await numbers(events, 1, 1) == [3]
    figures = other_hub.figures()
    assert (figures["reconnects"], figures["gaps"], figures["connected"]) == (1, 1, 1)


async def test_an_event_between_the_last_page_and_the_live_ones_is_not_lost(
    hub: EventHub, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has already delivered it to others when the subscription joins them."""
    start, page = await hub.head(), hub._history.page

    async with hub.subscribe(None, None, anyone) as other:

        async def overtaken(*arguments: Any) -> tuple[list[EventRow], bool]:
            monkeypatch.undo()
            found = await page(*arguments)
            await write(pool, 2)
            hub.wake()
            assert await numbers(other, 2) == [1, 2]
            return found

        await write(pool, 1)
        monkeypatch.setattr(hub._history, "page", overtaken)
        async with hub.subscribe(None, start, anyone) as events:
            assert await numbers(events, 2, 2) == [1, 2]


async def test_readers_who_join_anywhere_lose_and_repeat_nothing(
    hub: EventHub, other_hub: EventHub, pool: Pool
) -> None:
    """Four writers with overlapping transactions, readers joining at random cursors."""
    start = await hub.head()
    cursors, joined = [start], asyncio.Event()
    writers = [
        asyncio.create_task(hammer(pool, worker, joined))
        for worker in (hub, hub, other_hub, other_hub)
    ]
    readers: list[asyncio.Task[tuple[str, list[EventRow]]]] = []
    for worker in (hub, other_hub) * 20:
        readers.append(asyncio.create_task(read_all(worker, random.choice(cursors), cursors)))
        await asyncio.sleep(random.uniform(0, 0.02))
    joined.set()
    total = sum(await asyncio.gather(*writers))
    await write(pool, -1)
    hub.wake()
    async with asyncio.timeout(30):
        found = await asyncio.gather(*readers)
    async with hub.subscribe(None, start, anyone) as events:
        log = await take(events, total + 1)
    order = [row.position for row in log]
    assert len(set(order)) == total + 1
    assert order == sorted(order)
    for after, rows in found:
        first = 0 if after == start else [row.cursor for row in log].index(after) + 1
        assert [row.position for row in rows] == order[first:]


async def hammer(pool: Pool, hub: EventHub, joined: asyncio.Event) -> int:
    """Gives how many events were written."""
    for number in range(500):
        async with pool.acquire() as connection, connection.transaction():
            await append_events(connection, [event(number)])
            if random.random() < 0.1:
                await asyncio.sleep(random.uniform(0, 0.01))
        hub.wake()
        if joined.is_set():
            return number + 1
    return 500


async def read_all(hub: EventHub, after: str, cursors: list[str]) -> tuple[str, list[EventRow]]:
    rows: list[EventRow] = []
    async with hub.subscribe(None, after, anyone) as events:
        async for row in events:
            rows.append(row)
            if random.random() < 0.02:
                cursors.append(row.cursor)
            if row.payload["number"] == -1:
                return after, rows
    raise AssertionError("a subscription never ends quietly")


async def test_cursors_that_lead_nowhere_are_refused(hub: EventHub, pool: Pool) -> None:
    await write(pool, 1)
    with pytest.raises(InvalidInput) as refusal:
        hub.subscribe(None, "rubbish", anyone)
    assert refusal.value.code == "invalid_cursor"
    for cursor, code in (
        (Cursor(10**15, uuid7()), "invalid_cursor"),
        (Cursor(1, UUID(int=1 << 80)), "cursor_expired"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            async with hub.subscribe(None, encode_cursor(cursor), anyone):
                pass
        assert refusal.value.code == code


async def test_stopping_ends_subscriptions_after_what_they_were_given(pool: Pool, dsn: str) -> None:
    hub = make_hub(pool, dsn)
    await hub.start()
    async with (
        hub.subscribe(None, None, anyone) as given,
        hub.subscribe(None, await hub.head(), anyone) as waiting,
    ):
        pending = asyncio.create_task(anext(waiting))
        await write(pool, 1)
        hub.wake()
        assert (await pending).payload == {"number": 1}
        pending = asyncio.create_task(anext(waiting))
        async with asyncio.timeout(10):
            while not given._queue:  # noqa: ASYNC110 - it tells its reader alone
                await asyncio.sleep(0.01)
        await hub.stop()
        assert await numbers(given, 1) == [1]
        for ending in (anext(given), pending):
            with pytest.raises(Unavailable) as end:
                await ending
            assert end.value.code == "stopping"
    with pytest.raises(Unavailable):
        hub.subscribe(None, None, anyone)


async def test_a_log_that_is_away_comes_back(
    hub: EventHub, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub.subscribe(None, None, anyone) as events:
        await asyncio.sleep(0.05)

        async def away(*_: object) -> None:
            raise Unavailable("database_unavailable", retry_after_s=2)

        monkeypatch.setattr(hub._live._log, "read_after", away)
        await write(pool, 1)
        hub.wake()
        assert await nothing_comes(events, 0.4)
        monkeypatch.undo()
        assert await numbers(events, 1) == [1]
    assert hub.counters.log_errors >= 1
