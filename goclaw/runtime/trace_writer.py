"""Traces and spans on their way to the database: queued by runs, written in batches."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import structlog

from goclaw.core.errors import Unavailable
from goclaw.models.runs import RunStatus
from goclaw.store.chat_traces import ChatTrace
from goclaw.store.database import Database
from goclaw.store.traces import NewSpan, NewTrace, Refused, write_traces

log = structlog.get_logger()

INTERVAL_S: Final = 0.1
FULL_ROWS: Final = 1000
"""So many are written before the interval is over."""
UNMADE_RUNS: Final = 300
"""Of so many runs the rows are made at once, as each holds its messages until then."""
BATCH_TRACES: Final = 1000
MAX_QUEUED: Final = 50_000
"""Rows."""

Written = TypeVar("Written", NewTrace, NewSpan)


Make = Callable[[], ChatTrace]

OnEnded = Callable[[UUID, Collection[UUID] | None], None]
"""Told of a trace that has ended once it is written; or of spans that came after its end."""


class Entry(NamedTuple):
    """Rows that were handed in together, or a record of which they are made. With `replaces` some
    of them may be there in the form they had while their run went on. `whole` is all there will
    ever be of its run: no other entry has a row of the same id.
    """

    trace: NewTrace | None
    spans: Sequence[NewSpan]
    replaces: bool = False
    whole: bool = False
    chat: ChatTrace | None = None

    @property
    def rows(self) -> int:
        if self.chat is not None:
            return 2 if self.chat["call_id"] is None else 3
        return len(self.spans) + (self.trace is not None)


class TraceWriter:
    """Holds at most `MAX_QUEUED` rows; what comes on top is dropped and counted.

    A batch stays the same until it is known to be written, as an attempt that seemed to fail
    may have been committed; one that the database refuses was not, and is halved until what it
    refuses stands alone. That is dropped, too.
    """

    def __init__(self, database: Database, on_ended: OnEnded | None = None) -> None:
        self._database = database
        self.on_ended = on_ended
        self._ended: list[Make] = []
        self._queue: deque[Entry] = deque()
        self._batch: list[Entry] = []
        self._full = asyncio.Event()
        self._writing = asyncio.Lock()
        self.queued = 0
        self.written = 0
        self.dropped = 0

    def add(self, trace: NewTrace, spans: Sequence[NewSpan]) -> None:
        """Of a run that has ended."""
        self._put(Entry(trace, spans, whole=True))

    def add_later(self, make: Make) -> None:
        """Of a run of which nothing was handed in before; made when it is about to be written: by
        then the run's caller has its answer.
        """
        self._ended.append(make)
        if len(self._ended) >= UNMADE_RUNS:
            self._make_rows()

    def _make_rows(self) -> None:
        ended, self._ended = self._ended, []
        for make in ended:
            try:
                self._put(Entry(None, (), whole=True, chat=make()))
            except Exception:  # of one run alone: those of others are written
                self.dropped += 1
                log.exception("traces.not_made")

    def begin(self, trace: NewTrace, agent: NewSpan) -> None:
        """Of a run that goes on; both rows come once more at its end."""
        self._put(Entry(trace, [agent]))

    def note(self, *spans: NewSpan) -> None:
        """Steps of a run that goes on."""
        self._put(Entry(None, spans))

    def end(self, trace: NewTrace, spans: Sequence[NewSpan]) -> None:
        """Of a run that was begun before; `spans` have the agent's once more."""
        self._put(Entry(trace, spans, replaces=True))

    def _put(self, entry: Entry) -> None:
        rows = entry.rows
        if self.queued + rows > MAX_QUEUED:
            self.dropped += rows
            return
        self._queue.append(entry)
        self.queued += rows
        if self.queued >= FULL_ROWS:
            self._full.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._until_due()
            await self.flush()

    async def _until_due(self) -> None:
        """Returns after the interval, or when many rows are there before."""
        asyncio.get_running_loop().call_later(INTERVAL_S, self._full.set)
        await self._full.wait()
        self._full.clear()

    async def flush(self) -> None:
        """What cannot be written now is kept for the next time, in order."""
        self._make_rows()
        async with self._writing:
            while self.queued:
                try:
                    await self._write(self._next_batch())
                except Refused as error:
                    self._halve(self._batch, str(error))
                except Unavailable:
                    log.warning("traces.kept", rows=self.queued, dropped=self.dropped)
                    return

    def _next_batch(self) -> list[Entry]:
        if not self._batch:
            size = min(BATCH_TRACES, len(self._queue))
            self._batch = [self._queue.popleft() for _ in range(size)]
        return self._batch

    def _halve(self, batch: list[Entry], reason: str) -> None:
        if len(batch) > 1:
            half = len(batch) // 2
            self._batch = batch[:half]
            self._queue.extendleft(reversed(batch[half:]))
            return
        rows = batch[0].rows
        self._batch = []
        self.queued -= rows
        self.dropped += rows
        log.error("traces.refused", reason=reason, rows=rows)

    async def _write(self, batch: list[Entry]) -> None:
        traces = [entry.trace for entry in batch if entry.trace is not None]
        spans = [span for entry in batch for span in entry.spans]
        replaced: list[UUID] = []
        if not all(entry.whole for entry in batch):
            traces, spans = _latest(traces), _latest(spans)
            replaced = [id for entry in batch if entry.replaces for id in _ids(entry)]
        chats = [entry.chat for entry in batch if entry.chat is not None]
        await write_traces(self._database, traces, spans, replaced, chats)
        rows = sum(entry.rows for entry in batch)
        self._batch = []
        self.queued -= rows
        self.written += rows
        if self.on_ended is not None:
            self._tell(batch, self.on_ended)

    def _tell(self, batch: list[Entry], on_ended: OnEnded) -> None:
        """The agent's span is there at the end of a run, and not with what comes after it."""
        for entry in batch:
            if entry.chat is not None:
                on_ended(entry.chat["id"], None)
            elif entry.trace is not None and entry.trace.status != RunStatus.RUNNING:
                is_end = any(span.parent_span_id is None for span in entry.spans)
                on_ended(entry.trace.id, None if is_end else [span.id for span in entry.spans])


def _latest(rows: list[Written]) -> list[Written]:
    """Of two rows with one id the later counts."""
    return list({row.id: row for row in rows}.values())


def _ids(entry: Entry) -> list[UUID]:
    trace = [] if entry.trace is None else [entry.trace.id]
    return [*trace, *(span.id for span in entry.spans)]
