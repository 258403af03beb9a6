"""The audit of refused credentials: how many from which address, never what was tried."""

import asyncio
from collections import Counter
from typing import Final

import structlog

from goclaw.core.errors import Unavailable
from goclaw.models.activity import Activity
from goclaw.store.activity import add_activity
from goclaw.store.database import Database

log = structlog.get_logger()

INTERVAL_S: Final = 60.0
MAX_ADDRESSES: Final = 20
"""Rows written at a time; what other addresses did is one row more."""
MAX_KEPT: Final = 1000
OTHERS: Final = "others"


class RefusedCredentials:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._attempts: Counter[str] = Counter()
        self.total = 0

    def note(self, address: str | None) -> None:
        self.total += 1
        known = address or OTHERS
        room = known in self._attempts or len(self._attempts) < MAX_KEPT
        self._attempts[known if room else OTHERS] += 1

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.flush()

    async def flush(self) -> None:
        """What cannot be written now is kept for the next time."""
        if not self._attempts:
            return
        attempts, self._attempts = self._attempts, Counter()
        others = attempts.pop(OTHERS, 0)
        worst = attempts.most_common()
        others += sum(count for _, count in worst[MAX_ADDRESSES:])
        rows = [_row(address, count) for address, count in worst[:MAX_ADDRESSES]]
        try:
            await add_activity(self._database, [*rows, *([_row(None, others)] if others else [])])
        except Unavailable:
            self._attempts.update(attempts)
            self._attempts[OTHERS] += others
            log.warning("refused_credentials.kept", addresses=len(attempts))


def _row(address: str | None, attempts: int) -> Activity:
    return Activity(
        actor_type="system",
        actor_id="system",
        action="credential.refused",
        entity_type="credential",
        details={"attempts": attempts},
        ip_address=address,
    )
