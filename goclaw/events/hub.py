"""Events of one worker: durable ones from the log, passing ones over the fan-out."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from itertools import count
from typing import Any, Final

from goclaw.events.backend import GAP_CHANNEL, FanoutBackend
from goclaw.events.background import Background
from goclaw.events.channels import Channels, Listening
from goclaw.events.counters import Counters
from goclaw.events.cursor import Cursor, decode_cursor, encode_cursor
from goclaw.events.history import History
from goclaw.events.live import LiveReader
from goclaw.events.outbox import stopping
from goclaw.events.ports import EventLog, Peer
from goclaw.events.row import EventRow
from goclaw.events.subscription import Subscription
from goclaw.events.wakes import Wakes

WAKE_CHANNEL: Final = "wake"
QUEUE_LIMIT: Final = 256
KEEP_S: Final = 7 * 24 * 3600.0
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
        self._history = History(events, self.counters, keep_s)
        self._channels = Channels(backend, self.counters)
        self._channels.handlers[WAKE_CHANNEL] = self._woken
        self._wakes = Wakes(partial(self._channels.post, WAKE_CHANNEL), self.counters)
        self._live = LiveReader(events, self.counters, self._wakes.announce)
        self._tasks = (
            Background("events reader", self._live.run),
            Background("events fan-out", self._pump),
        )
        self._peers: list[Peer] = []
        self._stopping = False

    def figures(self) -> dict[str, int]:
        """For /metrics: totals since the start, and how many subscriptions are open now."""
        return {
            **asdict(self.counters),
            "publish_errors": self._backend.unsent,
            "reconnects": self._backend.reconnects,
            "connected": int(self._backend.connected),
            "subscriptions": len(self._live.subscribers),
        }

    async def start(self) -> None:
        """Also when the database or Redis is away: both are used once they are there."""
        await self._backend.connect()
        await self._backend.subscribe(WAKE_CHANNEL)
        self._wakes.assume_watched()
        for task in self._tasks:
            task.start()

    async def stop(self) -> None:
        """Subscriptions end with `stopping`, after the events they had been given."""
        self._stopping = True
        self._wakes.flush()
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
            self._history,
            self._live,
            topics=None if topics is None else frozenset(topics),
            after=None if after is None else decode_cursor(after),
            visible=visible,
            queue_limit=self._queue_limit,
        )

    def notify_committed(self) -> None:
        """Tells this worker alone that the log has grown."""
        self._live.wake()

    def wake(self) -> None:
        """Tells every worker that the log has grown: to be called after each commit of events."""
        self._live.wake()
        self._wakes.send()

    def listen(self, channel: str) -> Listening:
        """Raises Unavailable when stopping."""
        if self._stopping:
            raise stopping()
        return Listening(self._channels, channel, self._queue_limit)

    async def attach(self, channel: str, peer: Peer) -> None:
        """Hands the messages of a channel to `peer` as they come."""
        self._channels.handlers[channel] = peer.heard
        self._channels.echoes[channel] = peer.echoed
        self._peers.append(peer)
        await self._backend.subscribe(channel)

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

    def _woken(self, message: dict[str, Any]) -> None:
        if "watching" in message:
            self._wakes.assume_watched()
        else:
            self._live.wake()

    async def _pump(self) -> None:
        """Pauses now and then, so that a burst does not run over listeners who keep up."""
        for received in count(1):
            event = await self._backend.next_published()
            if event.channel == GAP_CHANNEL:
                self.counters.gaps += 1
                self._channels.gap()
                for peer in self._peers:
                    peer.gap()
                self._wakes.assume_watched()
                self._live.wake()
            else:
                self._channels.receive(event)
            if received % PAUSE_EVERY == 0:
                await asyncio.sleep(0)
