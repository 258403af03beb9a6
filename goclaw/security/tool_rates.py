"""How many tools a user may have called in an hour, in all runs together."""

from collections.abc import Callable
from time import time
from typing import Final

from goclaw.core.settings import Settings
from goclaw.security.rate_storage import Storage

WINDOW_S: Final = 3600
SPENT: Final = (
    "Not carried out: the {limit} tool calls that this user may have in an hour are used up. More "
    "are possible in {minutes} min. Do without tools until then."
)


class ToolRates:
    """Counted in hours of the clock; a limit of 0 is none."""

    def __init__(
        self, settings: Settings, storage: Storage, clock: Callable[[], float] = time
    ) -> None:
        self._limit = settings.tool_calls_per_hour
        self._storage = storage
        self._clock = clock

    async def count(self, user_id: str) -> str | None:
        """Why there may be no more calls, in words for the model; None while there may."""
        if not self._limit:
            return None
        window, passed_s = divmod(int(self._clock()), WINDOW_S)
        if await self._storage.incr(f"tools:{user_id}:{window}", WINDOW_S) <= self._limit:
            return None
        minutes = -(-(WINDOW_S - passed_s) // 60)
        return SPENT.format(limit=self._limit, minutes=minutes)

    async def close(self) -> None:
        await self._storage.close()
