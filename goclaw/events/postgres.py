"""The fan-out over LISTEN and NOTIFY."""

from collections.abc import Sequence
from time import monotonic
from typing import Final
from uuid import UUID

from goclaw.core.ids import uuid7
from goclaw.events.backend import FanoutBackend
from goclaw.events.frames import Message, Reference, pack
from goclaw.events.ports import NotifySql, Session

FRAME_BYTES: Final = 7_500
"""NOTIFY takes less than 8,000 bytes."""
PURGE_EVERY_S: Final = 60


class PostgresBackend(FanoutBackend):
    def __init__(self, sql: NotifySql) -> None:
        super().__init__("postgres")
        self._sql = sql
        self._purge_at = monotonic() + PURGE_EVERY_S

    async def _listen(self) -> Session:
        return await self._sql.listen(self._inbox.put)

    async def _send(self, messages: Sequence[Message]) -> None:
        bodies: list[tuple[UUID, bytes]] = []

        def keep(text: str) -> UUID:
            bodies.append((uuid7(), text.encode()))
            return bodies[-1][0]

        await self._sql.notify(pack(messages, FRAME_BYTES, keep), bodies)
        if bodies and monotonic() >= self._purge_at:
            self._purge_at = monotonic() + PURGE_EVERY_S
            await self._sql.purge()

    async def _resolve(self, reference: Reference) -> str | None:
        body = await self._sql.body(reference.id)
        return None if body is None else body.decode()
