"""The audit log: who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import View, jsonb, timestamp


class Activity(SQLModel, table=True):
    __tablename__ = "activity_logs"
    __table_args__ = (
        Index("activity_actor", "actor_id", "id"),
        Index("activity_entity", "entity_type", "entity_id", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    actor_type: str
    actor_id: str
    action: str
    entity_type: str | None = None
    entity_id: str | None = None
    details: dict[str, Any] | None = jsonb(default=None)
    ip_address: str | None = None
    created_at: datetime = timestamp()


class ActivityView(View):
    """`action` is `entity.verb`; `actor_type` is `user` or `system`."""

    id: UUID
    actor_type: str
    actor_id: str
    action: str
    entity_type: str | None
    entity_id: str | None
    details: dict[str, Any] | None
    ip_address: str | None
    created_at: datetime
