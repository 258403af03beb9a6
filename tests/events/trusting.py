"""Workers that remember rows of a database, and links between them that break."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from goclaw.core.callers import system_caller
from goclaw.core.errors import Unavailable
from goclaw.events.backend import FanoutBackend
from goclaw.events.frames import Message
from goclaw.events.hub import EventHub
from goclaw.events.memory import MemoryBackend, MemoryBus, MemorySession
from goclaw.events.ports import Session
from goclaw.events.trust import Trust
from goclaw.store.database import Database, fetch
from goclaw.store.events import PostgresLog
from goclaw.store.trust import PostgresTrust, next_epoch

LONG_S = 60.0
"""A lease that no test waits for: what returns all the same was acknowledged."""
SHORT_S = 0.3


class ShakyBackend(MemoryBackend):
    """One whose two directions can be cut, each by itself."""

    deaf = mute = False

    async def _listen(self) -> Session:
        if self.deaf:
            raise Unavailable("fanout_unavailable")
        return await super()._listen()

    async def _send(self, messages: Sequence[Message]) -> None:
        if self.mute:
            raise Unavailable("fanout_unavailable")
        await super()._send(messages)

    def cut(self) -> None:
        self.deaf = self.mute = True
        self.hang_up()

    def silence(self) -> None:
        self.mute = True

    def mend(self) -> None:
        self.deaf = self.mute = False

    def hang_up(self) -> None:
        session = self._link._session
        if isinstance(session, MemorySession):
            session.gone.set()
            self._bus.sessions.discard(session)


class Worker:
    """A worker that remembers `things` the way the rules of Trust ask for."""

    def __init__(self, database: Database, backend: FanoutBackend, lease_s: float) -> None:
        self.database = database
        self.backend = backend
        self.hub = EventHub(PostgresLog(database.pool), backend)
        self.sql = PostgresTrust(database.pool)
        self.trust = Trust(self.hub, self.sql, lease_s)
        self.trust.on("things", self._forget)
        self.things: dict[str, int] = {}
        self.forgotten: list[set[str] | None] = []
        self._generation = 0

    @property
    def shaky(self) -> ShakyBackend:
        assert isinstance(self.backend, ShakyBackend)
        return self.backend

    def _forget(self, ids: Collection[str] | None) -> None:
        self._generation += 1
        self.forgotten.append(None if ids is None else set(ids))
        for id in list(self.things if ids is None else ids):
            self.things.pop(id, None)

    async def read(self, id: str) -> int:
        if self.trust.holds and id in self.things:
            return self.things[id]
        generation = self._generation
        (row,) = await fetch(self.database.pool, "select value from things where id = $1", (id,))
        if generation == self._generation:
            self.things[id] = row["value"]
        value: int = row["value"]
        return value

    async def write(self, id: str, value: int) -> None:
        """Returns when nobody reads the old value any more."""
        async with self.database.begin(system_caller()) as db:
            connection = await db.connection()
            await connection.exec_driver_sql(
                "insert into things values ($1, $2) on conflict (id) do update set value = $2",
                (id, value),
            )
            epoch = await next_epoch(db)
        await self.trust.invalidate({"things": {id}}, epoch)

    async def until_trusting(self) -> None:
        await until(lambda: self.trust.holds)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


@asynccontextmanager
async def workers(
    database: Database, count: int, lease_s: float, bus: MemoryBus | None = None
) -> AsyncIterator[list[Worker]]:
    bus = bus or MemoryBus()
    async with AsyncExitStack() as stack:
        made = [Worker(database, ShakyBackend(bus), lease_s) for _ in range(count)]
        for worker in made:
            await worker.hub.start()
            stack.push_async_callback(worker.hub.stop)
            await worker.trust.start()
            stack.push_async_callback(worker.trust.stop)
        yield made
