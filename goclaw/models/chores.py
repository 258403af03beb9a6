"""Work that is done once for all workers and replicas, from time to time."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from goclaw.models.shapes import instant_or_null, jsonb


class Chore(SQLModel, table=True):
    """`claimed_by` works on it until `claimed_until`, unless it says that it needs longer;
    `progress` is what was done since the chore was last finished.
    """

    __tablename__ = "chores"

    name: str = Field(primary_key=True)
    claimed_by: str | None = None
    claimed_until: datetime | None = instant_or_null()
    done_at: datetime | None = instant_or_null()
    progress: dict[str, Any] = jsonb(default_factory=dict)
