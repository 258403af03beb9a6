"""The fan-out inside one process, for tests of what stands on it."""

import asyncio
from collections.abc import Callable, Sequence

from goclaw.events.backend import FanoutBackend
from goclaw.events.frames import Message, Reference, pack
from goclaw.events.ports import Session

FRAME_BYTES = 64_000


class MemorySession:
    def __init__(self, bus: "MemoryBus", on_frame: Callable[[str], None]) -> None:
        self._bus = bus
        self.on_frame = on_frame
        self.gone = asyncio.Event()

    async def lost(self) -> None:
        await self.gone.wait()

    async def close(self) -> None:
        self._bus.sessions.discard(self)


class MemoryBus:
    """What the backends of one test have in common."""

    def __init__(self) -> None:
        self.sessions: set[MemorySession] = set()

    def cut(self) -> None:
        """Loses every connection, as a restarted server would."""
        for session in self.sessions:
            session.gone.set()
        self.sessions.clear()


class MemoryBackend(FanoutBackend):
    def __init__(self, bus: MemoryBus) -> None:
        super().__init__("memory")
        self._bus = bus

    async def _listen(self) -> Session:
        session = MemorySession(self._bus, self._inbox.put)
        self._bus.sessions.add(session)
        return session

    async def _send(self, messages: Sequence[Message]) -> None:
        for frame in pack(messages, FRAME_BYTES):
            for session in list(self._bus.sessions):
                session.on_frame(frame)

    async def _resolve(self, reference: Reference) -> str | None:
        return None
