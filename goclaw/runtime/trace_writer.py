"""Traces and spans on their way to the database: queued by runs, written in batches."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from goclaw.core.errors import Unavailable
from goclaw.store.database import Database
from goclaw.store.traces import NewSpan, NewTrace, copy_rows

log = structlog.get_logger()

INTERVAL_S: Final = 0.1
FULL_ROWS: Final = 1000
"""So many are written before the interval is over."""
BATCH_TRACES: Final = 1000
MAX_QUEUED: Final = 50_000
"""Rows."""


class TraceWriter:
    """Holds at most `MAX_QUEUED` rows; what comes on top is dropped and counted.

    A batch stays the same until it is known to be written, as an attempt that seemed to fail
    may have been committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[tuple[NewTrace, Sequence[NewSpan]]] = deque()
        self._batch: list[tuple[NewTrace, Sequence[NewSpan]]] = []
        self._full = asyncio.Event()
        self._writing = asyncio.Lock()
        self.queued = 0
        self.written = 0
        self.dropped = 0

    def add(self, trace: NewTrace, spans: Sequence[NewSpan]) -> None:
        rows = 1 + len(spans)
        if self.queued + rows > MAX_QUEUED:
            self.dropped += rows
            return
        self._queue.append((trace, spans))
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
        async with self._writing:
            while self.queued:
                try:
                    await self._write(self._next_batch())
                except Unavailable:
                    log.warning("traces.kept", rows=self.queued, dropped=self.dropped)
                    return

    def _next_batch(self) -> list[tuple[NewTrace, Sequence[NewSpan]]]:
        if not self._batch:
            size = min(BATCH_TRACES, len(self._queue))
            self._batch = [self._queue.popleft() for _ in range(size)]
        return self._batch

    async def _write(self, batch: list[tuple[NewTrace, Sequence[NewSpan]]]) -> None:
        traces = [trace for trace, _ in batch]
        spans = [span for _, spans in batch for span in spans]
        await copy_rows(self._database, traces, spans)
        self._batch = []
        self.queued -= len(traces) + len(spans)
        self.written += len(traces) + len(spans)
