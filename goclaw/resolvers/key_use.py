"""What keys are used for, and refused for, written in the background once a second."""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import structlog

from goclaw.core.callers import Caller
from goclaw.core.errors import Unavailable
from goclaw.models.activity import Activity
from goclaw.store.activity import add_activity_once
from goclaw.store.api_keys import Use, touch_keys
from goclaw.store.database import Database

log = structlog.get_logger()

INTERVAL_S: Final = 1.0
REFUSALS: Final = 1_000
"""How many kinds of refusals are held until they are written."""


class KeyUse:
    """Holds one entry for each key, so it is bounded by the number of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._used: dict[UUID, Use] = {}
        self._refused: dict[UUID, Activity] = {}

    def note(self, key_id: UUID, address: str | None) -> None:
        before = self._used.get(key_id)
        calls = 1 if before is None else before.calls + 1
        self._used[key_id] = Use(datetime.now(UTC), address, calls)

    def note_refused(
        self, caller: Caller, operation: str, scope: str | None, address: str | None
    ) -> None:
        """A use outside what the key is for: one activity row for a key, operation and minute,
        whatever the number of calls and workers.
        """
        if caller.key_id is None or len(self._refused) >= REFUSALS:
            return
        at = datetime.now(UTC)
        row_id = _id_of_minute(at, f"{caller.key_id} {operation}")
        if row_id not in self._refused:
            self._refused[row_id] = Activity(
                id=row_id,
                actor_type="user" if caller.user_id else "system",
                actor_id=caller.actor,
                action="api_key.refused",
                entity_type="api_key",
                entity_id=str(caller.key_id),
                details={"operation": operation, "scope": scope},
                ip_address=address,
                created_at=at,
            )

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.flush()

    async def flush(self) -> None:
        """What cannot be written now is kept for the next time."""
        used, self._used = self._used, {}
        refused, self._refused = self._refused, {}
        try:
            if used:
                await touch_keys(self._database, used)
                used = {}
            if refused:
                await add_activity_once(self._database, list(refused.values()))
        except Unavailable:
            self._keep(used, refused)
            log.warning("key_use.kept", keys=len(self._used), refused=len(self._refused))

    def _keep(self, used: dict[UUID, Use], refused: dict[UUID, Activity]) -> None:
        for key_id, use in used.items():
            later = self._used.get(key_id)
            self._used[key_id] = later._replace(calls=later.calls + use.calls) if later else use
        self._refused = refused | self._refused


def _id_of_minute(at: datetime, what: str) -> UUID:
    """A UUIDv7 of the minute's beginning, the same in every worker."""
    minute_s = int(at.timestamp()) // 60 * 60
    rest = int.from_bytes(sha256(what.encode()).digest()[:10])
    bits = (minute_s * 1000 << 80) | rest
    bits = bits & ~(0xF << 76) | 0x7 << 76
    return UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)
