"""Traces and spans on their way to the database: queued by runs, written in batches."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from goclaw.core.errors import Unavailable
from goclaw.store.database import Database
from goclaw.store.traces import SPAN_COLUMNS, TRACE_COLUMNS, copy_rows

log = structlog.get_logger()

INTERVAL_S: Final = 0.1
BATCH_ROWS: Final = 1000
MAX_QUEUED: Final = 50_000

TraceRow = tuple[object, ...]
SpanRow = tuple[object, ...]


class _Table:
    """Rows on their way to one table. A batch stays the same until it is known to be written,
    as an attempt that seemed to fail may have been committed.
    """

    def __init__(self, name: str, columns: Sequence[str]) -> None:
        self.name = name
        self.columns = columns
        self.queue: deque[tuple[object, ...]] = deque()
        self.batch: list[tuple[object, ...]] = []

    def __len__(self) -> int:
        return len(self.queue) + len(self.batch)

    def next_batch(self) -> list[tuple[object, ...]]:
        if not self.batch:
            size = min(BATCH_ROWS, len(self.queue))
            self.batch = [self.queue.popleft() for _ in range(size)]
        return self.batch


class TraceWriter:
    """Holds at most `MAX_QUEUED` rows; what comes on top is dropped and counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._traces = _Table("traces", TRACE_COLUMNS)
        self._spans = _Table("spans", SPAN_COLUMNS)
        self._full = asyncio.Event()
        self._writing = asyncio.Lock()
        self.written = 0
        self.dropped = 0

    @property
    def queued(self) -> int:
        return len(self._traces) + len(self._spans)

    def add(self, trace: TraceRow, spans: Sequence[SpanRow]) -> None:
        if self.queued + len(spans) + 1 > MAX_QUEUED:
            self.dropped += len(spans) + 1
            return
        self._traces.queue.append(trace)
        self._spans.queue.extend(spans)
        if self.queued >= BATCH_ROWS:
            self._full.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._next_batch()
            await self.flush()

    async def _next_batch(self) -> None:
        """Returns after the interval, or when a whole batch is there before."""
        asyncio.get_running_loop().call_later(INTERVAL_S, self._full.set)
        await self._full.wait()
        self._full.clear()

    async def flush(self) -> None:
        """What cannot be written now is kept for the next time, in order."""
        async with self._writing:
            while self.queued:
                try:
                    await self._write(self._spans)
                    await self._write(self._traces)
                except Unavailable:
                    log.warning("traces.kept", rows=self.queued, dropped=self.dropped)
                    return

    async def _write(self, table: _Table) -> None:
        if rows := table.next_batch():
            await copy_rows(self._database, table.name, table.columns, rows)
            table.batch = []
            self.written += len(rows)
