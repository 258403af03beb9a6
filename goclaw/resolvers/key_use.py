"""When each key was last used, written in the background once a second."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import structlog

from goclaw.core.errors import Unavailable
from goclaw.store.api_keys import touch_keys
from goclaw.store.database import Database

log = structlog.get_logger()

INTERVAL_S = 1.0


class KeyUse:
    """Holds one instant for each key, so it is bounded by the number of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._used: dict[UUID, datetime] = {}

    def note(self, key_id: UUID) -> None:
        self._used[key_id] = datetime.now(UTC)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.flush()

    async def flush(self) -> None:
        """What cannot be written now is kept for the next time."""
        if not self._used:
            return
        used, self._used = self._used, {}
        try:
            await touch_keys(self._database, used)
        except Unavailable:
            self._used = used | self._used
            log.warning("key_use.kept", keys=len(self._used))
