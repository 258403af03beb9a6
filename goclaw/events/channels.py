"""Messages that nobody keeps: deltas, cancel requests, interest, revocations."""

from collections import deque
from collections.abc import Callable
from enum import Enum
from itertools import count
from types import TracebackType
from typing import Any, Final, Self, TypeAlias
from uuid import uuid4

import orjson
from broadcaster import Event

from goclaw.events.backend import FanoutBackend
from goclaw.events.counters import Counters
from goclaw.events.wakeup import Wakeup

PEERS_REMEMBERED: Final = 1_000


class Gap(Enum):
    """Given instead of messages that may be missing."""

    GAP = "gap"


Payload: TypeAlias = dict[str, Any]


class Listening:
    """`async with` it, then `async for`. A reader that is too slow finds a gap in place of
    what it had not read; the end of the loop says that the server is stopping.
    """

    def __init__(self, channels: "Channels", channel: str, queue_limit: int) -> None:
        self.channel = channel
        self._channels = channels
        self._limit = queue_limit
        self._queue: deque[Payload | Gap] = deque()
        self._wakeup = Wakeup()
        self._ended = False

    async def __aenter__(self) -> Self:
        await self._channels.join(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._channels.leave(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Payload | Gap:
        while not self._queue:
            if self._ended:
                raise StopAsyncIteration
            await self._wakeup.wait()
        return self._queue.popleft()

    def push(self, message: Payload | Gap) -> int:
        """How many messages were dropped for want of room."""
        dropped = 0
        if len(self._queue) >= self._limit:
            dropped = len(self._queue)
            self._queue.clear()
            self._queue.append(Gap.GAP)
        if not (message is Gap.GAP and self._queue and self._queue[-1] is Gap.GAP):
            self._queue.append(message)
        self._wakeup.set()
        return dropped

    def end(self) -> None:
        self._ended = True
        self._wakeup.set()


class Channels:
    """Listeners in the same process are reached directly; the fan-out reaches the others."""

    def __init__(self, backend: FanoutBackend, counters: Counters) -> None:
        self.handlers: dict[str, Callable[[Payload], None]] = {}
        self.echoes: dict[str, Callable[[Payload], None]] = {}
        self._backend = backend
        self._counters = counters
        self._listeners: dict[str, set[Listening]] = {}
        self._worker = uuid4().hex[:12]
        self._numbers = count(1)
        self._heard: dict[str, int] = {}

    async def join(self, listening: Listening) -> None:
        self._listeners.setdefault(listening.channel, set()).add(listening)
        await self._backend.subscribe(listening.channel)

    async def leave(self, listening: Listening) -> None:
        among = self._listeners.get(listening.channel, set())
        among.discard(listening)
        if not among and self._listeners.pop(listening.channel, None) is not None:
            await self._backend.unsubscribe(listening.channel)

    def deliver(self, channel: str, message: Payload | Gap) -> None:
        for listening in self._listeners.get(channel, ()):
            self._counters.messages_dropped += listening.push(message)
            self._counters.messages_delivered += 1

    async def publish(self, channel: str, payload: Payload) -> None:
        """To the other workers; raises Unavailable when that cannot be done."""
        await self._backend.publish(channel, self._envelope(payload))

    def post(self, channel: str, payload: Payload) -> None:
        """To the other workers, without waiting."""
        self._backend.post(channel, self._envelope(payload))

    def receive(self, event: Event) -> None:
        """Delivers a message of another worker, once; our own come back as echoes."""
        worker, _, rest = event.message.partition(":")
        if worker == self._worker:
            if event.channel in self.echoes:
                self.echoes[event.channel](orjson.loads(rest.partition(":")[2]))
            return
        try:
            number, _, text = rest.partition(":")
            if not self._is_new(worker, int(number)):
                return
            payload = orjson.loads(text)
        except ValueError:
            self._counters.messages_malformed += 1
            return
        handler = self.handlers.get(event.channel)
        if handler is not None:
            handler(payload)
        self.deliver(event.channel, payload)

    def gap(self) -> None:
        for channel in self._listeners:
            self.deliver(channel, Gap.GAP)

    def end_all(self) -> None:
        for among in self._listeners.values():
            for listening in among:
                listening.end()

    def _envelope(self, payload: Payload) -> str:
        return f"{self._worker}:{next(self._numbers)}:{orjson.dumps(payload).decode()}"

    def _is_new(self, worker: str, number: int) -> bool:
        if number <= self._heard.pop(worker, 0):
            self._heard[worker] = number
            return False
        self._heard[worker] = number
        if len(self._heard) > PEERS_REMEMBERED:
            del self._heard[next(iter(self._heard))]
        return True
