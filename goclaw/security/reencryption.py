"""Moving every stored secret under the key that writes.

Each batch is one statement that replaces exactly the texts that were read: killed at any point,
it has done whole batches and goes on from there. Servers that run beside it know both keys.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from goclaw.core.errors import Unavailable
from goclaw.models.sealed import SealedColumn
from goclaw.security.vault import Vault, sealed_with
from goclaw.store.database import Database
from goclaw.store.sealed import SealedText, discard_sealed, replace_sealed, sealed_otherwise

BATCH: Final = 200
ATTEMPTS: Final = 20
PAUSE_S: Final = 0.25
"""Rows that somebody is changing get five seconds in all."""

OnMoved = Callable[[SealedColumn, int], None]
"""Called after each batch with how many it moved."""


@dataclass(slots=True)
class Pass:
    """What one walk through a column met."""

    moved: int = 0
    busy: int = 0
    unreadable: list[SealedText] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Remains:
    """What is not under the key that writes, by column: `busy` was being changed each time."""

    busy: dict[SealedColumn, int]
    unreadable: dict[SealedColumn, list[SealedText]]


class Reencryption:
    def __init__(self, database: Database, vault: Vault, on_moved: OnMoved) -> None:
        self._pool = database.pool
        self._vault = vault
        self._on_moved = on_moved

    async def run(self) -> Remains:
        """Raises Unavailable without a key, or when the database goes away."""
        remains = Remains({}, {})
        for place in SealedColumn:
            last = await self._move_all(place)
            if last.busy:
                remains.busy[place] = last.busy
            if last.unreadable:
                remains.unreadable[place] = last.unreadable
        return remains

    async def discard(self, unreadable: dict[SealedColumn, list[SealedText]]) -> int:
        """Empties these columns, unless they were changed meanwhile; how many it emptied."""
        gone = [
            await discard_sealed(self._pool, place, row)
            for place, rows in unreadable.items()
            for row in rows
        ]
        return sum(gone)

    async def _move_all(self, place: SealedColumn) -> Pass:
        """Until a walk finds nothing that can be moved."""
        for _ in range(ATTEMPTS):
            walk = await self._walk(place)
            if not walk.busy and not walk.moved:
                break
            if walk.busy:
                await asyncio.sleep(PAUSE_S)
        return walk

    async def _walk(self, place: SealedColumn) -> Pass:
        walk, after = Pass(), None
        while rows := await self._next(place, after):
            after = rows[-1].id
            await self._move(place, rows, walk)
        return walk

    async def _next(self, place: SealedColumn, after: UUID | None) -> list[SealedText]:
        key = self._vault.keys.writing()
        if key is None:
            raise Unavailable("encryption_key_missing")
        return await sealed_otherwise(self._pool, place, sealed_with(key), after, BATCH)

    async def _move(self, place: SealedColumn, rows: list[SealedText], walk: Pass) -> None:
        readable: list[SealedText] = []
        texts: list[str] = []
        for row in rows:
            try:
                secret = self._vault.open(row.text, place, row.id)
            except Unavailable:
                walk.unreadable.append(row)
            else:
                readable.append(row)
                texts.append(self._vault.seal(secret, place, row.id))
        if readable:
            moved = await replace_sealed(self._pool, place, readable, texts)
            walk.moved += moved
            walk.busy += len(readable) - moved
            self._on_moved(place, moved)
