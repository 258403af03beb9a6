"""What subscriptions missed: read from the log, a few at a time."""

import asyncio
from collections.abc import Sequence
from time import time
from typing import Final

from goclaw.core.errors import InvalidInput
from goclaw.events.counters import Counters
from goclaw.events.cursor import Cursor
from goclaw.events.ports import EventLog
from goclaw.events.row import EventRow

PAGE_ROWS: Final = 200
READS_AT_ONCE: Final = 4


class History:
    """However many subscriptions resume at once, they leave connections to others."""

    def __init__(self, events: EventLog, counters: Counters, keep_s: float) -> None:
        self._log = events
        self._counters = counters
        self._keep_s = keep_s
        self._slots = asyncio.Semaphore(READS_AT_ONCE)

    async def page(
        self, after: Cursor, topics: Sequence[str] | None
    ) -> tuple[list[EventRow], bool]:
        """The next rows, and whether there are more at once."""
        async with self._slots:
            page = await self._log.read_after(after, PAGE_ROWS, topics)
        self._counters.log_reads += 1
        return [EventRow(*row) for row in page.rows], page.full

    async def check(self, cursor: Cursor) -> None:
        """Raises InvalidInput when events after it can be gone, or it is of another log."""
        standing = await self._log.standing(cursor)
        if not standing.known:
            raise InvalidInput("invalid_cursor", field="after")
        if not standing.kept and cursor.time_s < time() - self._keep_s:
            raise InvalidInput("cursor_expired", field="after")
