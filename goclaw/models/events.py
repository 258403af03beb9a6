"""The event log that subscriptions read from."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy import Text as TextColumn
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import jsonb, timestamp


class Xid8(UserDefinedType[int]):
    """A 64-bit transaction id: it never wraps and orders transactions by their start."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class Audience(StrEnum):
    """Who may see an event: its user, those who may see its agent, administrators, all."""

    USER = "user"
    AGENT = "agent"
    ADMIN = "admin"
    ALL = "all"


class Event(SQLModel, table=True):
    """Ids commit out of order, so readers go by (xid, id) below the oldest open transaction."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_order", "xid", "id"),
        Index("events_topic", "topic", "xid", "id"),
    )

    xid: int | None = Field(
        default=None,
        sa_type=Xid8,
        nullable=False,
        sa_column_kwargs={"server_default": text("pg_current_xact_id()")},
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    at: datetime = timestamp(sa_column_kwargs={"server_default": text("now()")})
    topic: str
    kind: str
    user_id: str | None = None
    agent_id: UUID | None = None
    audience: Audience = Field(sa_type=TextColumn)
    payload: dict[str, Any] = jsonb(default_factory=dict)


class FanoutPayload(SQLModel, table=True):
    """A message too long for NOTIFY, kept for the few seconds its readers need."""

    __tablename__ = "fanout_payloads"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    at: datetime = timestamp()
    body: bytes
