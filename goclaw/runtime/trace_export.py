"""Finished traces on their way to a collector: noted by id once they are written, read again when
it is their turn, so that what waits costs next to nothing and what is sent is whole.
"""

import asyncio
import random
from asyncio import sleep
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import structlog

from goclaw.core.callers import system_caller
from goclaw.core.clock import clock_s
from goclaw.core.errors import Unavailable
from goclaw.models.traces import SpanView, TraceView
from goclaw.runtime.collector import Collector, Never, NotNow
from goclaw.store.database import Database
from goclaw.store.traces import spans_by_trace, traces_by_id

log = structlog.get_logger()

INTERVAL_S: Final = 1.0
"""How long traces are gathered before they are sent."""
BATCH_TRACES: Final = 64
BATCH_SPANS: Final = 512
"""In one request, unless a single trace has more."""
MAX_QUEUED: Final = 10_000
"""Traces."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
LONGEST_ASKED_S: Final = 300.0
"""A collector that asks for a longer pause is asked again after this one."""
GIVE_UP_S: Final = 600.0
"""So long one request is tried; it may be what the collector fails at."""
FLUSH_S: Final = 5.0
"""How long a server that stops waits for its last traces to be taken."""

Whole = tuple[TraceView, Sequence[SpanView]]


class Format(Protocol):
    media_type: str

    def pack(self, traces: Iterable[Whole]) -> bytes: ...

    def rejected(self, answer: bytes) -> int:
        """Spans of an answered request that were not taken."""


class Packed(NamedTuple):
    """One request."""

    body: bytes
    traces: int


class TraceExporter:
    """Holds at most `MAX_QUEUED` traces; what comes on top is dropped and counted. A span may be
    sent twice where the collector's answer was lost; it has the same id each time.
    """

    def __init__(self, database: Database, collector: Collector, form: Format) -> None:
        self._database = database
        self._collector = collector
        self._format = form
        self._queue: OrderedDict[UUID, frozenset[UUID] | None] = OrderedDict()
        self._packed: deque[Packed] = deque()
        self._some = asyncio.Event()
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.sent = 0
        self.dropped = 0
        self.rejected_spans = 0
        self.failures = 0

    @property
    def queued(self) -> int:
        return len(self._queue) + sum(packed.traces for packed in self._packed)

    def add(self, trace_id: UUID, spans: Collection[UUID] | None = None) -> None:
        """A trace that is written and complete; or just these `spans`, which came after its end."""
        known = self._queue.get(trace_id, frozenset())
        if trace_id not in self._queue and self.queued >= MAX_QUEUED:
            self.dropped += 1
            return
        self._queue[trace_id] = None if known is None or spans is None else known.union(spans)
        self._some.set()

    async def run(self) -> None:
        """Until cancelled. What is on its way then is left to `flush`, so that a collector that
        has it already does not get it twice.
        """
        while True:
            await self._some.wait()
            await sleep(INTERVAL_S)
            self._task = asyncio.create_task(self._send_all())
            await asyncio.shield(self._task)

    async def flush(self) -> None:
        """Within `FLUSH_S`; what is left then is lost, and counted."""
        rest = asyncio.create_task(self._send_all())
        tasks = {rest} if self._task is None else {rest, self._task}
        _, late = await asyncio.wait(tasks, timeout=FLUSH_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if left := self.queued:
            self.dropped += left
            log.warning("traces.not_exported", traces=left)
        if not rest.cancelled():
            rest.result()

    async def _send_all(self) -> None:
        async with self._sending:
            while self._packed or self._queue:
                if not self._packed:
                    await self._pack()
                while self._packed:
                    await self._send(self._packed[0])
                    self._packed.popleft()
            self._some.clear()

    async def _pack(self) -> None:
        """The next traces. What cannot be read now, or is given up in the middle, waits on."""
        taken: dict[UUID, frozenset[UUID] | None] = {}
        while self._queue and len(taken) < BATCH_TRACES:
            id, spans = self._queue.popitem(last=False)
            taken[id] = spans
        try:
            wholes = await self._read(taken)
            groups = list(_grouped(wholes))
            bodies = [await asyncio.to_thread(self._format.pack, group) for group in groups]
        except (Unavailable, asyncio.CancelledError):
            self._put_back(taken)
            raise
        except BaseException:
            self.dropped += len(taken)
            raise
        self.dropped += len(taken) - len(wholes)  # deleted meanwhile
        self._packed.extend(map(Packed, bodies, map(len, groups)))

    async def _read(self, taken: dict[UUID, frozenset[UUID] | None]) -> list[Whole]:
        reads = self._database.reads(system_caller())
        traces = await traces_by_id(reads, taken)
        spans = await spans_by_trace(reads, list(traces))
        return [
            (trace, [span for span in spans[id] if (only := taken[id]) is None or span.id in only])
            for id, trace in traces.items()
        ]

    def _put_back(self, taken: dict[UUID, frozenset[UUID] | None]) -> None:
        for id, spans in reversed(taken.items()):
            later = self._queue.get(id, frozenset())
            self._queue[id] = None if spans is None or later is None else spans | later
            self._queue.move_to_end(id, last=False)

    async def _send(self, packed: Packed) -> None:
        """Returns when it is taken or given up."""
        until, wait_s = clock_s() + GIVE_UP_S, FIRST_WAIT_S
        while True:
            try:
                answer = await self._collector.post(packed.body, self._format.media_type)
            except NotNow as error:
                self.failures += 1
                # Replicas that failed together must not come back together.
                pause_s = wait_s * random.uniform(0.5, 1)  # noqa: S311
                if error.wait_s is not None:
                    pause_s = min(pause_s + error.wait_s, LONGEST_ASKED_S)
                if clock_s() + pause_s > until:
                    self._give_up(packed, error)
                    return
                log.info("traces.export_delayed", reason=str(error), wait_s=round(pause_s, 2))
            except Never as error:
                self.failures += 1
                self._give_up(packed, error)
                return
            else:
                self._count(packed, answer)
                return
            await sleep(pause_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _count(self, packed: Packed, answer: bytes) -> None:
        self.sent += packed.traces
        if rejected := self._format.rejected(answer):
            self.rejected_spans += rejected
            log.warning("traces.spans_rejected", spans=rejected)

    def _give_up(self, packed: Packed, error: Exception) -> None:
        self.dropped += packed.traces
        log.warning("traces.export_failed", traces=packed.traces, reason=str(error))


def _grouped(wholes: Iterable[Whole]) -> Iterable[list[Whole]]:
    group: list[Whole] = []
    spans = 0
    for whole in wholes:
        if group and spans + len(whole[1]) > BATCH_SPANS:
            yield group
            group, spans = [], 0
        group.append(whole)
        spans += len(whole[1])
    if group:
        yield group
