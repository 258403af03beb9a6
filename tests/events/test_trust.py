"""What a worker remembers is forgotten everywhere before a change is called done."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from random import Random

import pytest

from goclaw.core.clock import clock_s
from goclaw.core.errors import Unavailable
from goclaw.events import lease
from goclaw.events.memory import MemoryBus
from goclaw.events.postgres import PostgresBackend
from goclaw.store.database import Database, fetch, open_database
from goclaw.store.fanout import PostgresFanout
from goclaw.store.trust import PostgresTrust
from tests.events.trusting import LONG_S, SHORT_S, Worker, until, workers


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    database = await open_database(dsn, 12, statement_cache=True)
    await fetch(database.pool, "create table things (id text primary key, value int)", ())
    yield database
    await database.close()


async def test_nothing_is_sent_while_nobody_asks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "USED_S", 0.1)
    async with workers(database, 1, SHORT_S) as (worker,):
        beats: list[float] = []
        beat = worker.trust._lease._beat

        def noted(at: float) -> None:
            beats.append(at)
            beat(at)

        monkeypatch.setattr(worker.trust._lease, "_beat", noted)
        await asyncio.sleep(SHORT_S)
        assert beats == []
        assert not worker.trust.holds
        await worker.until_trusting()
        await asyncio.sleep(SHORT_S)
        beats.clear()
        await asyncio.sleep(SHORT_S)
        assert beats == []
        assert not worker.trust.holds
        await worker.until_trusting()


async def test_the_other_worker_forgets_before_the_writer_returns(database: Database) -> None:
    async with workers(database, 3, LONG_S) as made:
        await made[0].write("a", 1)
        for worker in made:
            await worker.until_trusting()
            assert await worker.read("a") == 1
            assert worker.things == {"a": 1}
        async with asyncio.timeout(20):
            await made[0].write("a", 2)
        assert [worker.things for worker in made] == [{}, {}, {}]
        assert [await worker.read("a") for worker in made] == [2, 2, 2]


async def test_only_what_changed_is_forgotten(database: Database) -> None:
    async with workers(database, 2, SHORT_S) as (writer, reader):
        await writer.write("a", 1)
        await writer.write("b", 1)
        await reader.until_trusting()
        assert (await reader.read("a"), await reader.read("b")) == (1, 1)
        reader.forgotten.clear()
        await writer.write("a", 2)
        await asyncio.sleep(SHORT_S)  # the epoch was asked for again in the meantime
        assert reader.forgotten == [{"a"}]
        assert reader.things == {"b": 1}


async def test_writes_at_once_are_all_forgotten(database: Database) -> None:
    async with workers(database, 3, LONG_S) as made:
        names = [f"n{number}" for number in range(30)]
        await asyncio.gather(*(made[0].write(name, 1) for name in names))
        for worker in made:
            await worker.until_trusting()
            assert {await worker.read(name) for name in names} == {1}
        async with asyncio.timeout(20):
            await asyncio.gather(
                *(made[at % 3].write(name, 2) for at, name in enumerate(names)),
            )
        for worker in made:
            assert {await worker.read(name) for name in names} == {2}


async def test_a_worker_without_fan_out_asks_the_database(database: Database) -> None:
    async with workers(database, 2, SHORT_S) as (writer, reader):
        await writer.write("a", 1)
        await reader.until_trusting()
        await reader.read("a")
        reader.shaky.cut()
        await writer.write("a", 2)
        assert await reader.read("a") == 2
        await asyncio.sleep(SHORT_S)
        assert not reader.trust.holds
        reader.shaky.mend()
        await reader.until_trusting()
        assert await reader.read("a") == 2


async def test_a_writer_without_fan_out_is_heard_by_the_database(database: Database) -> None:
    """The reader's own heartbeats come back all the time."""
    async with workers(database, 2, SHORT_S) as (writer, reader):
        await writer.write("a", 1)
        await reader.until_trusting()
        await reader.read("a")
        writer.shaky.cut()
        await writer.write("a", 2)
        assert await reader.read("a") == 2
        await reader.until_trusting()


async def test_a_loop_that_hung_trusts_nothing(database: Database) -> None:
    async with workers(database, 1, SHORT_S) as (worker,):
        await worker.until_trusting()
        time.sleep(SHORT_S)
        assert not worker.trust.holds
        await worker.until_trusting()


async def test_an_echo_counts_from_its_sending(database: Database) -> None:
    async with workers(database, 1, LONG_S) as (worker,):
        await worker.until_trusting()
        kept = worker.trust._lease
        kept._until = kept._echoed = lease.NEVER
        worker.trust.echoed({"beat": clock_s() - LONG_S})
        assert not worker.trust.holds
        worker.trust.echoed({"beat": clock_s()})
        assert worker.trust.holds


async def test_a_gap_forgets_everything(database: Database) -> None:
    async with workers(database, 2, LONG_S) as (writer, reader):
        await writer.write("a", 1)
        await reader.until_trusting()
        await reader.read("a")
        reader.forgotten.clear()
        reader.shaky.hang_up()
        await until(lambda: None in reader.forgotten)
        assert reader.things == {}


async def test_messages_that_come_twice_or_late_do_no_harm(database: Database) -> None:
    async with workers(database, 2, SHORT_S) as (writer, reader):
        await reader.until_trusting()
        await writer.write("a", 1)
        for epoch in (1, 1, 0, 1):
            reader.trust.heard({"forget": {"things": ["a"]}, "epoch": epoch, "id": "x"})
        writer.trust.heard({"ack": "x", "worker": "nobody"})
        await writer.write("a", 2)
        assert await reader.read("a") == 2
        await reader.until_trusting()


async def test_a_worker_that_died_is_waited_for_no_longer_than_its_lease(
    database: Database,
) -> None:
    async with workers(database, 1, SHORT_S) as (writer,):
        await PostgresTrust(database.pool).register("dead")
        before = clock_s()
        await writer.write("a", 1)
        assert clock_s() - before >= SHORT_S


async def test_a_worker_that_left_is_not_waited_for(database: Database) -> None:
    bus = MemoryBus()
    async with workers(database, 1, LONG_S, bus) as (writer,):
        async with workers(database, 1, LONG_S, bus) as (reader,):
            await reader.until_trusting()
            assert await writer.sql.workers() == {reader.trust._name}
        async with asyncio.timeout(20):
            await writer.write("a", 1)
        assert await writer.sql.workers() == set()


async def test_a_worker_nobody_knows_of_does_not_trust(database: Database) -> None:
    """Its row can be gone, as after a restore: it comes back before anything is trusted."""
    async with workers(database, 1, SHORT_S) as (worker,):
        await worker.until_trusting()
        await fetch(database.pool, "delete from trusting_workers", ())
        await asyncio.sleep(SHORT_S)
        await worker.until_trusting()
        assert await worker.sql.workers() == {worker.trust._name}


async def test_without_a_database_nothing_is_trusted_and_waiting_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workers(database, 1, SHORT_S) as (worker,):
        await worker.until_trusting()
        with monkeypatch.context() as away:
            for name in ("standing", "workers"):
                away.setattr(worker.trust._sql, name, _away)
            await worker.trust.invalidate({"things": {"a"}}, 7)
            assert not worker.trust.holds
        await worker.until_trusting()


async def _away(*_: object) -> None:
    raise Unavailable("database_unavailable")


class Ordeal:
    """Links are cut and mended, loops hang, a worker comes; values only ever grow."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.written = {"a": 0, "b": 0}
        self.stale: list[tuple[str, int, int]] = []
        self.reads = 0

    async def read(self, worker: Worker) -> None:
        while True:
            for id, least in list(self.written.items()):
                value = await worker.read(id)
                self.reads += 1
                if value < least:
                    self.stale.append((id, value, least))
            await asyncio.sleep(0.001)

    async def write(self, worker: Worker, id: str, values: Iterable[int]) -> None:
        for value in values:
            await worker.write(id, value)
            self.written[id] = value
            await asyncio.sleep(self.random.uniform(0, 0.03))

    async def break_things(self, made: list[Worker]) -> None:
        while True:
            backend = self.random.choice(made).shaky
            harm = self.random.choice((backend.cut, backend.hang_up, backend.silence, self._hang))
            harm()
            await asyncio.sleep(self.random.uniform(0, 0.2))
            backend.mend()

    def _hang(self) -> None:
        time.sleep(self.random.uniform(0, SHORT_S / 4))


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_old_value_is_read_whatever_breaks(database: Database, seed: int) -> None:
    ordeal = Ordeal(seed)
    bus = MemoryBus()
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(workers(database, 3, SHORT_S, bus))
        for id in ordeal.written:
            await made[0].write(id, 0)
        tasks = [asyncio.create_task(ordeal.read(worker)) for worker in made]
        tasks.append(asyncio.create_task(ordeal.break_things(made)))
        await asyncio.gather(
            ordeal.write(made[0], "a", range(1, 15)), ordeal.write(made[1], "b", range(1, 15))
        )
        (late,) = await stack.enter_async_context(workers(database, 1, SHORT_S, bus))
        tasks.append(asyncio.create_task(ordeal.read(late)))
        await ordeal.write(made[2], "a", range(15, 30))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for worker in made:
            worker.shaky.mend()
    assert ordeal.stale == []
    assert ordeal.reads > 100


async def test_two_workers_over_postgresql(database: Database, dsn: str) -> None:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            backend = PostgresBackend(PostgresFanout(database.pool, dsn))
            worker = Worker(database, backend, LONG_S)
            await worker.hub.start()
            stack.push_async_callback(worker.hub.stop)
            await worker.trust.start()
            stack.push_async_callback(worker.trust.stop)
            made.append(worker)
        await made[0].write("a", 0)
        for value in range(1, 6):
            for worker in made:
                await worker.until_trusting()
                await worker.read("a")
            async with asyncio.timeout(20):
                await made[value % 2].write("a", value)
            assert [await worker.read("a") for worker in made] == [value, value]
