"""Times in which an administrator has stopped all runs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import LongText, Shape, instant_or_null, timestamp


class StopRuns(Shape):
    """`reason` is what those are told whose runs are refused."""

    reason: LongText | None = None


class RunStop(SQLModel, table=True):
    """In force until it has a `resumed_at`."""

    __tablename__ = "run_stops"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    reason: str | None = None
    stopped_by: str
    stopped_at: datetime = timestamp()
    resumed_by: str | None = None
    resumed_at: datetime | None = instant_or_null()


@dataclass(frozen=True, slots=True)
class RunsState:
    """`stop` is the one in force."""

    stop: RunStop | None
