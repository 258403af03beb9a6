"""One reader of durable events: what it missed from the log, then what comes, once each."""

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from goclaw.core.errors import GatewayError, RateLimited
from goclaw.events.cursor import Cursor, encode_cursor
from goclaw.events.history import History
from goclaw.events.live import LiveReader
from goclaw.events.row import EventRow
from goclaw.events.wakeup import Wakeup

BEGINNING: Final = Cursor(0, UUID(int=0))


class Subscription:
    """`async with` it, then `async for`; from the first of the two on, no event is missed.

    Ends by raising: RateLimited `too_many_events` for a reader that was too slow (it resumes
    after the last cursor it got), Unavailable `stopping` when the server stops, Unavailable
    when the log is away while missed events are read. A cursor of another log, or one older
    than what is kept, raises InvalidInput on entering.

    The seam: live events are collected from before the last page is read, and those the page
    had already are left out.
    """

    def __init__(
        self,
        history: History,
        live: LiveReader,
        *,
        topics: frozenset[str] | None,
        after: Cursor | None,
        visible: Callable[[EventRow], bool],
        queue_limit: int,
    ) -> None:
        self.topics = topics
        self._history = history
        self._live = live
        self._visible = visible
        self._limit = queue_limit
        self._last = self._seen = after or BEGINNING
        self._page: deque[EventRow] = deque()
        self._queue: deque[EventRow] = deque()
        self._wakeup = Wakeup()
        self._caught_up = after is None
        self._error: GatewayError | None = None

    @property
    def last(self) -> str:
        """Where to resume: the cursor of the last event that was looked at, visible or not."""
        return encode_cursor(self._seen)

    @property
    def crowded(self) -> bool:
        return len(self._queue) * 2 > self._limit

    async def __aenter__(self) -> Self:
        if self._caught_up:
            self._last = self._seen = await self._live.attach(self)
        else:
            await self._history.check(self._last)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.detach(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventRow:
        while True:
            row = await self._next()
            self._seen = row.position
            if self._visible(row):
                self._live.counters.events_delivered += 1
                return row

    def push(self, row: EventRow) -> bool:
        if len(self._queue) < self._limit:
            self._queue.append(row)
            self._wakeup.set()
            return True
        self._queue.clear()
        self.end(RateLimited("too_many_events"))
        return False

    def end(self, error: GatewayError) -> None:
        self._error = error
        self._wakeup.set()

    async def _next(self) -> EventRow:
        while True:
            if self._page:
                return self._page.popleft()
            if self._caught_up:
                while self._queue:
                    row = self._queue.popleft()
                    if row.position > self._last:
                        self._last = row.position
                        return row
            if self._error is not None:
                raise self._error
            if self._caught_up:
                await self._wakeup.wait()
            else:
                await self._catch_up()

    async def _catch_up(self) -> None:
        if await self._read_page():
            return
        await self._live.attach(self)
        if await self._read_page():  # a burst came in between; live events would pile up
            self._live.detach(self)
            self._queue.clear()
        else:
            self._caught_up = True

    async def _read_page(self) -> bool:
        """True when there is more."""
        topics = None if self.topics is None else sorted(self.topics)
        rows, more = await self._history.page(self._last, topics)
        if rows:
            self._last = rows[-1].position
            self._page.extend(rows)
        return more
