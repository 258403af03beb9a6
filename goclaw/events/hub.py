"""Events of one worker: durable ones from the log, passing ones over the fan-out."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, Final

from goclaw.events.background import Background
from goclaw.events.backend import GAP_CHANNEL, FanoutBackend
from goclaw.events.channels import Channels, Listening
from goclaw.events.counters import Counters
from goclaw.events.cursor import Cursor, decode_cursor, encode_cursor
from goclaw.events.live import LiveReader
from goclaw.events.outbox import stopping
from goclaw.events.ports import EventLog
from goclaw.events.row import EventRow
from goclaw.events.subscription import Subscription

WAKE_CHANNEL: Final = "wake"
WAKE_SPACING_S: Final = 0.01
QUEUE_LIMIT: Final = 256
KEEP_S: Final = 7 * 24 * 3600.0
CATCH_UP_READS: Final = 4
PAUSE_EVERY: Final = 64


class EventHub:
    """`keep_s`: how long the log is kept; an older cursor is refused."""

    def __init__(
        self,
        events: EventLog,
        backend: FanoutBackend,
        *,
        queue_limit: int = QUEUE_LIMIT,
        keep_s: float = KEEP_S,
    ) -> None:
        self.counters = Counters()
        self._log = events
        self._backend = backend
        self._queue_limit = queue_limit
        self._keep_s = keep_s
        self._live = LiveReader(events, self.counters)
        self._channels = Channels(backend, self.counters)
        self._slots = asyncio.Semaphore(CATCH_UP_READS)
        self._tasks = (
            Background("events reader", self._live.run),
            Background("events fan-out", self._pump),
        )
        self._wake_timer: asyncio.TimerHandle | None = None
        self._woke_at = 0.0
        self._stopping = False

    @property
    def connected(self) -> bool:
        """Whether other workers are heard at the moment."""
        return self._backend.connected

    @property
    def reconnects(self) -> int:
        return self._backend.reconnects

    @property
    def publish_errors(self) -> int:
        """Messages that could not be sent to the other workers."""
        return self._backend.unsent

    @property
    def subscriptions(self) -> int:
        return len(self._live.subscribers)

    async def start(self) -> None:
        """Also when the database or Redis is away: both are used once they are there."""
        await self._backend.connect()
        await self._backend.subscribe(WAKE_CHANNEL)
        for task in self._tasks:
            task.start()

    async def stop(self) -> None:
        """Subscriptions end with `stopping`, after the events they had been given."""
        self._stopping = True
        if self._wake_timer is not None:
            self._wake_timer.cancel()
            self._send_wake()
        self._live.end_all(stopping())
        self._channels.end_all()
        for task in self._tasks:
            await task.stop()
        await self._backend.disconnect()

    async def head(self) -> str:
        """A cursor after which comes everything that commits from now on."""
        return encode_cursor(Cursor(*await self._log.head()))

    def subscribe(
        self,
        topics: Iterable[str] | None,
        after: str | None,
        visible: Callable[[EventRow], bool],
    ) -> Subscription:
        """Without topics: all of them; without `after`: from now on. `visible` is asked for
        each event when it is handed over.

        Raises InvalidInput for text that is no cursor, Unavailable when stopping.
        """
        if self._stopping:
            raise stopping()
        return Subscription(
            self._log,
            self._live,
            self._slots,
            self.counters,
            topics=None if topics is None else frozenset(topics),
            after=None if after is None else decode_cursor(after),
            visible=visible,
            queue_limit=self._queue_limit,
            keep_s=self._keep_s,
        )

    def notify_committed(self) -> None:
        """Tells this worker alone that the log has grown."""
        self._live.wake()

    def wake(self) -> None:
        """Tells every worker that the log has grown: to be called after each commit of events."""
        self._live.wake()
        if self._wake_timer is None and not self._stopping:
            loop = asyncio.get_running_loop()
            self._wake_timer = loop.call_at(self._woke_at + WAKE_SPACING_S, self._send_wake)

    def listen(self, channel: str) -> Listening:
        """Raises Unavailable when stopping."""
        if self._stopping:
            raise stopping()
        return Listening(self._channels, channel, self._queue_limit)

    def deliver(self, channel: str, payload: dict[str, Any]) -> None:
        """To the listeners of this worker alone."""
        self._channels.deliver(channel, payload)

    def post(self, channel: str, payload: dict[str, Any]) -> None:
        """To all listeners, without waiting for those elsewhere."""
        self._channels.deliver(channel, payload)
        self._channels.post(channel, payload)

    async def publish(self, channel: str, payload: dict[str, Any]) -> None:
        """To all listeners; returns when the message to the others is on its way. Raises
        Unavailable when it cannot be sent; local listeners have it nevertheless.
        """
        self._channels.deliver(channel, payload)
        await self._channels.publish(channel, payload)

    def _send_wake(self) -> None:
        self._wake_timer = None
        self._woke_at = asyncio.get_running_loop().time()
        self.counters.wakes_sent += 1
        self._channels.post(WAKE_CHANNEL, None)

    async def _pump(self) -> None:
        """Pauses now and then, so that a burst does not run over listeners who keep up."""
        for received in count(1):
            event = await self._backend.next_published()
            if event.channel == GAP_CHANNEL:
                self.counters.gaps += 1
                self._channels.gap()
                self._live.wake()
            elif self._channels.receive(event) and event.channel == WAKE_CHANNEL:
                self._live.wake()
            if received % PAUSE_EVERY == 0:
                await asyncio.sleep(0)
