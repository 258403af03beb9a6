"""The fan-out between workers, behind the interface of the `broadcaster` library.

Its own backends do not hold: nearly all simultaneous PostgreSQL publishes fail, a lost
connection is never noticed, and with the current redis-py nothing is delivered.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import structlog
from broadcaster import BroadcastBackend, Event

from goclaw.core.errors import GatewayError
from goclaw.events.frames import Message, Reference, unpack
from goclaw.events.inbox import Inbox
from goclaw.events.link import Link
from goclaw.events.outbox import Outbox
from goclaw.events.ports import Session

log = structlog.get_logger()

GAP_CHANNEL: Final = "*gap*"
"""An event on it says that messages may be missing: the connection was away."""


class FanoutBackend(BroadcastBackend, ABC):
    """All channels share one physical channel; a worker also hears what it publishes itself."""

    def __init__(self, name: str) -> None:
        self._channels: set[str] = set()
        self._inbox = Inbox()
        self._unpacked: deque[Message | Reference] = deque()
        self._outbox = Outbox(self._send)
        self._link = Link(name, self._listen, self._inbox.gap)

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def unsent(self) -> int:
        """Messages that could not be sent."""
        return self._outbox.unsent

    @property
    def reconnects(self) -> int:
        return self._link.reconnects

    async def connect(self) -> None:
        """Returns although nothing answers: the connection is made as soon as it can be."""
        await self._link.start()

    async def disconnect(self) -> None:
        await self._outbox.close()
        await self._link.stop()

    async def subscribe(self, channel: str) -> None:
        self._channels.add(channel)

    async def unsubscribe(self, channel: str) -> None:
        self._channels.discard(channel)

    async def publish(self, channel: str, message: Any) -> None:
        """Returns when the message was accepted; raises Unavailable when it cannot be sent."""
        await self._outbox.put(Message(channel, message))

    def post(self, channel: str, message: str) -> None:
        """Publishes without waiting, in the order of the calls; failures are only counted."""
        self._outbox.post(Message(channel, message))

    async def next_published(self) -> Event:
        while True:
            while self._unpacked:
                item = self._unpacked.popleft()
                if item.channel in self._channels:
                    return await self._event(item)
            frame = await self._inbox.get()
            if frame is None:
                return Event(GAP_CHANNEL, "")
            self._unpack(frame)

    def _unpack(self, frame: str) -> None:
        try:
            self._unpacked.extend(unpack(frame))
        except ValueError:
            log.warning("fanout.malformed", size=len(frame))

    async def _event(self, item: Message | Reference) -> Event:
        if isinstance(item, Message):
            return Event(item.channel, item.text)
        try:
            text = await self._resolve(item)
        except GatewayError:
            text = None
        return Event(GAP_CHANNEL, "") if text is None else Event(item.channel, text)

    @abstractmethod
    async def _listen(self) -> Session: ...

    @abstractmethod
    async def _send(self, messages: Sequence[Message]) -> None: ...

    @abstractmethod
    async def _resolve(self, reference: Reference) -> str | None:
        """The text, unless it is gone."""
