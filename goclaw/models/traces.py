"""Traces and spans: what a run did, step by step, with its tokens, cost and time."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Numeric, text
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.runs import RunStatus
from goclaw.models.shapes import View, instant_or_null, jsonb, timestamp


class SpanType(StrEnum):
    LLM_CALL = "llm_call"
    TOOL_CALL = "tool_call"
    AGENT = "agent"
    EMBEDDING = "embedding"
    EVENT = "event"


class Trace(SQLModel, table=True):
    """Written at the end of its run, apart from the run's own transaction."""

    __tablename__ = "traces"
    __table_args__ = (
        Index("traces_user", "user_id", "id"),
        Index("traces_agent", "agent_id", "id"),
        Index("traces_session", "session_id", "id"),
        Index(
            "traces_parent",
            "parent_trace_id",
            postgresql_where=text("parent_trace_id is not null"),
        ),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    parent_trace_id: UUID | None = None
    run_id: UUID | None = Field(default=None, index=True)
    agent_id: UUID | None = None
    user_id: str
    session_id: UUID | None = None
    session_key: str | None = None
    name: str
    channel: str
    status: RunStatus = Field(sa_type=TextColumn)
    start_time: datetime = timestamp()
    end_time: datetime | None = instant_or_null()
    duration_ms: int | None = None
    input_preview: str | None = None
    output_preview: str | None = None
    total_input_tokens: int = 0
    total_output_tokens: int = 0
    total_cost_usd: Decimal | None = Field(default=None, sa_type=Numeric(14, 8))
    span_count: int = 0
    llm_call_count: int = 0
    tool_call_count: int = 0
    error: str | None = None
    metadata_: dict[str, Any] | None = jsonb(default=None, sa_column_kwargs={"name": "metadata"})
    created_at: datetime = timestamp()


class Span(SQLModel, table=True):
    """`first_seq` to `last_seq` are the messages of the session the step read and wrote."""

    __tablename__ = "spans"
    __table_args__ = (Index("spans_trace", "trace_id", "start_time"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    trace_id: UUID
    parent_span_id: UUID | None = None
    agent_id: UUID | None = None
    span_type: SpanType = Field(sa_type=TextColumn)
    name: str
    status: RunStatus = Field(sa_type=TextColumn)
    start_time: datetime = timestamp()
    end_time: datetime | None = instant_or_null()
    duration_ms: int | None = None
    model: str | None = None
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = Field(default=None, sa_type=Numeric(14, 8))
    finish_reason: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    input_preview: str | None = None
    output_preview: str | None = None
    first_seq: int | None = None
    last_seq: int | None = None
    error: str | None = None
    metadata_: dict[str, Any] | None = jsonb(default=None, sa_column_kwargs={"name": "metadata"})
    created_at: datetime = timestamp()


class TraceView(View):
    """`status` is the run's; a preview is at most 500 characters."""

    id: UUID
    parent_trace_id: UUID | None
    run_id: UUID | None
    agent_id: UUID | None
    user_id: str
    session_id: UUID | None
    session_key: str | None
    name: str
    channel: str
    status: RunStatus
    start_time: datetime
    end_time: datetime | None
    duration_ms: int | None
    input_preview: str | None
    output_preview: str | None
    total_input_tokens: int
    total_output_tokens: int
    total_cost_usd: Decimal | None
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error: str | None
    metadata: dict[str, Any] | None
    created_at: datetime


class SpanView(View):
    id: UUID
    trace_id: UUID
    parent_span_id: UUID | None
    agent_id: UUID | None
    span_type: SpanType
    name: str
    status: RunStatus
    start_time: datetime
    end_time: datetime | None
    duration_ms: int | None
    model: str | None
    provider: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    finish_reason: str | None
    tool_name: str | None
    tool_call_id: str | None
    input_preview: str | None
    output_preview: str | None
    first_seq: int | None
    last_seq: int | None
    error: str | None
    metadata: dict[str, Any] | None
    created_at: datetime


class CostRow(View):
    """What one agent's runs used, each of which made a trace; `cost_usd` sums the known costs,
    `unpriced_calls` are model calls of which none is known.
    """

    agent_id: UUID | None
    cost_usd: Decimal
    input_tokens: int
    output_tokens: int
    trace_count: int
    unpriced_calls: int
