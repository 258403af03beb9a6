from collections import deque
from typing import Final

from goclaw.events.wakeup import Wakeup

LIMIT_FRAMES: Final = 2_000


class Inbox:
    """Frames that came in, for one reader. None stands for a gap: something may be missing."""

    def __init__(self) -> None:
        self._frames: deque[str | None] = deque()
        self._wakeup = Wakeup()
        self.overflows = 0

    def put(self, frame: str) -> None:
        if len(self._frames) >= LIMIT_FRAMES:
            self._frames.clear()
            self.overflows += 1
            self.gap()
        self._frames.append(frame)
        self._wakeup.set()

    def gap(self) -> None:
        self._frames.append(None)
        self._wakeup.set()

    async def get(self) -> str | None:
        while not self._frames:
            await self._wakeup.wait()
        return self._frames.popleft()
