"""Cron jobs: what an agent is asked when, in whose name, and what came of it each time."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, SecretStr, StringConstraints
from sqlalchemy import Index, text
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.core.reasons import Reason
from goclaw.core.schedules import (
    LEAST_S,
    MOST_S,
    Schedule,
    ScheduleKind,
    check_expression,
    check_zone,
)
from goclaw.models.shapes import Patch, Shape, Text, View, instant_or_null, storable, timestamp

MAX_MESSAGE_CHARS = 32_000
MAX_GRACE_S = 7 * 24 * 3600
GRACE_S = 3600
MOST_FAILURES = 5
"""Failures in a row after which the server pauses a job."""

JobName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
JobMessage = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_MESSAGE_CHARS),
    AfterValidator(storable),
]
Expression = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(storable),
    AfterValidator(check_expression),
]
Zone = Annotated[
    str, StringConstraints(max_length=100), AfterValidator(storable), AfterValidator(check_zone)
]
SessionKey = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)
]
Interval = Annotated[int, Field(ge=LEAST_S, le=MOST_S)]
Grace = Annotated[int, Field(ge=0, le=MAX_GRACE_S)]
DeliveryUrl = Annotated[Text, StringConstraints(min_length=1, max_length=2000)]
DeliverySecret = Annotated[SecretStr, Field(min_length=16, max_length=200)]


def aware(instant: datetime) -> datetime:
    """An instant, whatever clock it was read from."""
    if instant.tzinfo is None:
        raise ValueError(Reason("instant", example="2026-01-31T08:00:00Z"))
    return instant.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(aware)]


class CronJobCreate(Shape):
    """`run_at` goes with the kind `at`, `every_s` with `every`, `expression` and `timezone` with
    `cron`. Spoken in is the session named `session_key`; without one the job's own, or with
    `isolated` a new one each time.
    """

    name: JobName
    agent_id: UUID
    message: JobMessage
    kind: ScheduleKind
    run_at: Instant | None = None
    every_s: Interval | None = None
    expression: Expression | None = None
    timezone: Zone = "UTC"
    session_key: SessionKey | None = None
    isolated: bool = False
    enabled: bool = True
    grace_s: Grace = GRACE_S
    delete_after_run: bool = False
    delivery_url: DeliveryUrl | None = None
    delivery_secret: DeliverySecret | None = None


class CronJobPatch(Patch):
    """Of the schedule only what goes with the kind is kept. A null secret forgets it."""

    name: JobName = Field(default=None)
    agent_id: UUID = Field(default=None)
    message: JobMessage = Field(default=None)
    kind: ScheduleKind = Field(default=None)
    run_at: Instant = Field(default=None)
    every_s: Interval = Field(default=None)
    expression: Expression = Field(default=None)
    timezone: Zone = Field(default=None)
    session_key: SessionKey | None = None
    isolated: bool = Field(default=None)
    enabled: bool = Field(default=None)
    grace_s: Grace = Field(default=None)
    delete_after_run: bool = Field(default=None)
    delivery_url: DeliveryUrl | None = None
    delivery_secret: DeliverySecret | None = None


class CronJob(SQLModel, table=True):
    """`key_id` is the API key that made or last changed it: its runs end with that key's rights.
    `next_run_at` is null while it is paused, and when it is due no more. `run_id` is the run of it
    that goes on. `failures` are those in a row; `pause_reason` says why the server paused it.
    `delivery_secret` is ciphertext.
    """

    __tablename__ = "cron_jobs"
    __table_args__ = (
        Index("cron_jobs_user", "user_id", "id"),
        Index("cron_jobs_agent", "agent_id"),
        Index("cron_jobs_due", "next_run_at", postgresql_where=text("next_run_at is not null")),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    agent_id: UUID = Field(foreign_key="agents.id")
    user_id: str
    key_id: UUID | None = None
    name: str
    message: str
    kind: ScheduleKind = Field(sa_type=TextColumn)
    run_at: datetime | None = instant_or_null()
    every_s: int | None = None
    expression: str | None = None
    timezone: str = "UTC"
    session_key: str | None = None
    isolated: bool = False
    enabled: bool = True
    grace_s: int = GRACE_S
    delete_after_run: bool = False
    delivery_url: str | None = None
    delivery_secret: str | None = None
    anchor: datetime = timestamp()
    next_run_at: datetime | None = instant_or_null()
    last_run_at: datetime | None = instant_or_null()
    run_id: UUID | None = None
    failures: int = 0
    pause_reason: str | None = None
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            ScheduleKind(self.kind),
            self.anchor,
            self.run_at,
            self.every_s,
            self.expression,
            self.timezone,
        )

    def next_after(self, instant: datetime) -> datetime | None:
        """When it is due next; None while it is paused."""
        return self.schedule.next_after(instant) if self.enabled else None

    def session_of(self, agent_key: str, run_id: UUID) -> str:
        """The key of the session that a run speaks in."""
        if self.session_key is not None:
            return self.session_key
        own = f"agent:{agent_key}:cron:{self.id}"
        return f"{own}:{run_id}" if self.isolated else own


class CronJobView(View):
    """What its owner may read: never the secret, only whether there is one."""

    id: UUID
    agent_id: UUID
    user_id: str
    name: str
    message: str
    kind: ScheduleKind
    run_at: datetime | None
    every_s: int | None
    expression: str | None
    timezone: str
    session_key: str | None
    isolated: bool
    enabled: bool
    grace_s: int
    delete_after_run: bool
    delivery_url: str | None
    has_delivery_secret: bool
    next_run_at: datetime | None
    last_run_at: datetime | None
    run_id: UUID | None
    failures: int
    pause_reason: str | None
    created_at: datetime
    updated_at: datetime


class CronRunStatus(StrEnum):
    """What came of one time: begun and not yet over, or how it ended."""

    STARTED = "started"
    COMPLETED = "completed"
    ERROR = "error"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class CronTrigger(StrEnum):
    """What made a job run: the clock, or somebody."""

    DUE = "due"
    MANUAL = "manual"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class CronRun(SQLModel, table=True):
    """One time a job was due, or was asked for by `asked_by`. `run_id` names the run where there
    was one, which may be deleted by now. `delivery_at` is when delivering is tried next.
    """

    __tablename__ = "cron_runs"
    __table_args__ = (
        Index("cron_runs_job", "job_id", "id"),
        Index("cron_runs_started", "run_id", postgresql_where=text("status = 'started'")),
        Index("cron_runs_delivery", "delivery_at", postgresql_where=text("delivery = 'pending'")),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    job_id: UUID = Field(foreign_key="cron_jobs.id", ondelete="CASCADE")
    run_id: UUID | None = None
    trigger: CronTrigger = Field(sa_type=TextColumn)
    asked_by: str
    due_at: datetime = timestamp()
    started_at: datetime = timestamp()
    ended_at: datetime | None = instant_or_null()
    status: CronRunStatus = Field(sa_type=TextColumn)
    error_code: str | None = None
    error_message: str | None = None
    delivery: DeliveryStatus | None = Field(default=None, sa_type=TextColumn)
    delivery_attempts: int = 0
    delivery_at: datetime | None = instant_or_null()
    delivery_http_status: int | None = None
    delivery_error: str | None = None
