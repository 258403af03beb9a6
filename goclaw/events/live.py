"""The one reader of the log in a worker, and who gets what it reads."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from goclaw.core.errors import GatewayError
from goclaw.events.counters import Counters
from goclaw.events.cursor import Cursor
from goclaw.events.ports import EventLog
from goclaw.events.row import EventRow
from goclaw.events.wakeup import Wakeup

log = structlog.get_logger()

PAGE_ROWS: Final = 500
CHUNK_ROWS: Final = 64
POLL_S: Final = 2.0
SPACING_S: Final = 0.01
HELD_S: Final = 0.025
HELD_LONG_S: Final = 0.25
HELD_LONG_READS: Final = 100
HEARD_S: Final = 0.1
RETRY_S: Final = 0.25
DRAIN_TURNS: Final = 10
DRAIN_S: Final = 0.002


class Subscriber(Protocol):
    @property
    def topics(self) -> frozenset[str] | None:
        """None stands for all."""

    @property
    def crowded(self) -> bool:
        """Half of its queue is full."""

    def push(self, row: EventRow) -> bool:
        """False when it had no room: it has ended then."""

    def end(self, error: GatewayError) -> None: ...


class LiveReader:
    """Reads new events once for all subscribers, and not at all while there is none.

    A poll finds what no wake announced, and rows held back by an older transaction are
    asked for again soon.
    """

    def __init__(
        self, events: EventLog, counters: Counters, announce: Callable[[bool], None]
    ) -> None:
        """`announce` is told that subscribers are here: True for the first of them, and False
        now and then as long as there are any.
        """
        self._log = events
        self._announce = announce
        self.counters = counters
        self._wakeup = Wakeup()
        self._opening = asyncio.Lock()
        self._position: Cursor | None = None
        self._everything: set[Subscriber] = set()
        self._by_topic: dict[str, set[Subscriber]] = {}
        self._held_reads = 0
        self._away = False

    @property
    def subscribers(self) -> set[Subscriber]:
        return self._everything.union(*self._by_topic.values())

    def wake(self) -> None:
        """Whoever comes first begins by looking."""
        if self._position is not None:
            self._wakeup.set()

    async def attach(self, subscriber: Subscriber) -> Cursor:
        """Pushes every event after the returned position. Raises Unavailable when the
        position has to be asked for and the log is away.
        """
        if self._position is None:
            async with self._opening:
                if self._position is None:
                    self._position = Cursor(*await self._log.head())
                    self._begin()
        if subscriber.topics is None:
            self._everything.add(subscriber)
        for topic in subscriber.topics or ():
            self._by_topic.setdefault(topic, set()).add(subscriber)
        return self._position

    def _begin(self) -> None:
        """Reads now, and again when every worker has heard that events are wanted here."""
        self._announce(True)
        self._wakeup.set()
        asyncio.get_running_loop().call_later(HEARD_S, self._wakeup.set)

    def detach(self, subscriber: Subscriber) -> None:
        self._everything.discard(subscriber)
        for topic in subscriber.topics or ():
            among = self._by_topic.get(topic, set())
            among.discard(subscriber)
            if not among:
                self._by_topic.pop(topic, None)
        if not self._everything and not self._by_topic:
            self._position = None

    def end_all(self, error: GatewayError) -> None:
        for subscriber in self.subscribers:
            subscriber.end(error)
            self.detach(subscriber)

    async def run(self) -> None:
        pause_s: float | None = None
        while True:
            await self._wakeup.wait(pause_s)
            pause_s = await self._read()
            await asyncio.sleep(SPACING_S if pause_s else 0)

    async def _read(self) -> float | None:
        """How long to sleep, unless woken; None when nobody listens."""
        position = self._position
        if position is None:
            return None
        try:
            page = await self._log.read_after(position, PAGE_ROWS)
        except GatewayError as error:
            self.counters.log_errors += 1
            self._note_away(error)
            return RETRY_S
        self._note_away(None)
        self._announce(False)
        self.counters.log_reads += 1
        if self._position is not position:  # all left, and others came, in the meantime
            return 0
        rows = [EventRow(*row) for row in page.rows]
        if rows:
            self._position = rows[-1].position
            self.counters.events_read += len(rows)
            await self._deliver(rows)
        return self._pause_s(full=page.full, held=page.held)

    def _pause_s(self, *, full: bool, held: bool) -> float:
        self._held_reads = self._held_reads + 1 if held else 0
        if full:
            return 0
        if held:
            return HELD_S if self._held_reads < HELD_LONG_READS else HELD_LONG_S
        return POLL_S

    async def _deliver(self, rows: Sequence[EventRow]) -> None:
        """In portions, so that readers who keep up are not run over by a burst."""
        for start in range(0, len(rows), CHUNK_ROWS):
            reached: set[Subscriber] = set()
            for row in rows[start : start + CHUNK_ROWS]:
                self._push(row, reached)
            if start + CHUNK_ROWS < len(rows):
                await self._let_drain(reached)

    def _push(self, row: EventRow, reached: set[Subscriber]) -> None:
        targets = self._by_topic.get(row.topic, set()) | self._everything
        full = [subscriber for subscriber in targets if not subscriber.push(row)]
        for subscriber in full:
            self.counters.subscriptions_overflowed += 1
            self.detach(subscriber)
        reached |= targets

    async def _let_drain(self, reached: set[Subscriber]) -> None:
        await asyncio.sleep(0)
        for _ in range(DRAIN_TURNS):
            if not any(subscriber.crowded for subscriber in reached):
                break
            await asyncio.sleep(DRAIN_S)

    def _note_away(self, error: GatewayError | None) -> None:
        if error is not None and not self._away:
            log.warning("events.log_away", error=error.code)
        self._away = error is not None
