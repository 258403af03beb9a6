"""Runs: one answer of one agent, from the question to the last word."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Numeric, text
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import View, instant_or_null, jsonb, timestamp


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    ERROR = "error"
    CANCELLED = "cancelled"


class Run(SQLModel, table=True):
    """`first_seq` to `last_seq` are the messages of the session it wrote; all tokens of
    input count, cached ones too; `cost_usd` is null when no price is known. `heartbeat_at`
    is touched by the worker that carries it. `inbox` is what the user said while the run was
    busy and which it has yet to take; null for a run that takes nothing. A run that any worker
    may carry has a `lane`; while it waits for one, `asked` is what it will be told. `attempts`
    counts the workers that began to carry it. `cancel_asked_at` is for a worker that was not
    reached, or is dead: the run goes no further.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_user", "user_id", "id"),
        Index("runs_session", "session_id", "id"),
        Index("runs_agent", "agent_id", "id"),
        Index("runs_key", "key_id", "id", postgresql_where=text("key_id is not null")),
        Index("runs_ended", "ended_at"),
        Index("runs_running", "id", postgresql_where=text("status = 'running'")),
        Index("runs_unread", "id", postgresql_where=text("inbox <> '[]'")),
        Index("runs_queued", "agent_id", "user_id", postgresql_where=text("status = 'queued'")),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    session_id: UUID | None = Field(foreign_key="sessions.id", ondelete="SET NULL")
    agent_id: UUID = Field(foreign_key="agents.id")
    trace_id: UUID
    user_id: str
    key_id: UUID | None = None
    channel: str
    status: RunStatus = Field(default=RunStatus.RUNNING, sa_type=TextColumn)
    model: str
    provider_name: str
    first_seq: int
    last_seq: int
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal | None = Field(default=None, sa_type=Numeric(14, 8))
    error_code: str | None = None
    error_message: str | None = None
    worker: str = ""
    started_at: datetime = timestamp()
    heartbeat_at: datetime = timestamp()
    ended_at: datetime | None = instant_or_null()
    inbox: list[dict[str, Any]] | None = jsonb(default=None)
    lane: str | None = Field(default=None, sa_type=TextColumn)
    asked: dict[str, Any] | None = jsonb(default=None)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    cancel_asked_at: datetime | None = instant_or_null()


class RunView(View):
    """`session_id` is null once the session was deleted."""

    id: UUID
    session_id: UUID | None
    agent_id: UUID
    trace_id: UUID
    user_id: str
    channel: str
    status: RunStatus
    model: str
    provider_name: str
    first_seq: int
    last_seq: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Decimal | None
    error_code: str | None
    error_message: str | None
    started_at: datetime
    ended_at: datetime | None
