"""One durable event as subscribers get it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

from goclaw.events.cursor import Cursor, encode_cursor


@dataclass(eq=False)
class EventRow:
    """Shared by every subscription of a worker: read only."""

    xid: int
    id: UUID
    at: datetime
    topic: str
    kind: str
    user_id: str | None
    agent_id: UUID | None
    audience: str
    raw: str
    """The payload as JSON text, for doors that pass it on unparsed."""

    @cached_property
    def position(self) -> Cursor:
        return Cursor(self.xid, self.id)

    @cached_property
    def cursor(self) -> str:
        return encode_cursor(self.position)

    @cached_property
    def payload(self) -> dict[str, Any]:
        value: dict[str, Any] = orjson.loads(self.raw)
        return value
