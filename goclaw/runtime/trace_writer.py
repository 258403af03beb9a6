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


class TraceWriter:
    """Holds at most `MAX_QUEUED` rows; what comes on top is dropped and counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._traces: deque[TraceRow] = deque()
        self._spans: deque[SpanRow] = deque()
        self._full = asyncio.Event()
        self.written = 0
        self.dropped = 0

    @property
    def queued(self) -> int:
        return len(self._traces) + len(self._spans)

    def add(self, trace: TraceRow, spans: Sequence[SpanRow]) -> None:
        if self.queued + len(spans) + 1 > MAX_QUEUED:
            self.dropped += len(spans) + 1
            return
        self._traces.append(trace)
        self._spans.extend(spans)
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
        while self.queued:
            try:
                await self._write("spans", SPAN_COLUMNS, self._spans)
                await self._write("traces", TRACE_COLUMNS, self._traces)
            except Unavailable:
                log.warning("traces.kept", rows=self.queued, dropped=self.dropped)
                return

    async def _write(
        self, table: str, columns: Sequence[str], queue: deque[tuple[object, ...]]
    ) -> None:
        rows = [queue.popleft() for _ in range(min(BATCH_ROWS, len(queue)))]
        if not rows:
            return
        try:
            await copy_rows(self._database, table, columns, rows)
        except BaseException:
            queue.extendleft(reversed(rows))
            raise
        self.written += len(rows)
