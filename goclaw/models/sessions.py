"""Sessions and their messages: one conversation of one user with one agent."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import Patch, Text, View, instant_or_null, jsonb, timestamp


class MessageRole(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class SessionPatch(Patch):
    """`label` is the name people see."""

    label: Annotated[Text, StringConstraints(min_length=1, max_length=500)] = Field(default=None)


class Session(SQLModel, table=True):
    """`prefix_hash` covers all messages so far, so that a client that posts its whole
    history finds the session again. `lease_run_id` is the run that is writing now. `summary` is
    what the model is told in place of the messages up to `summary_seq`.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("agent_id", "user_id", "key"),
        Index("sessions_user", "user_id", "id"),
        Index(
            "sessions_prefix",
            "prefix_hash",
            "user_id",
            "agent_id",
            "id",
            postgresql_where=text("prefix_hash is not null"),
        ),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    key: str
    agent_id: UUID = Field(foreign_key="agents.id")
    user_id: str
    channel: str
    label: str | None = None
    prefix_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    message_count: int = 0
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    summary: str | None = None
    summary_seq: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    lease_run_id: UUID | None = None
    lease_until: datetime | None = instant_or_null()
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()


class SessionView(View):
    id: UUID
    key: str
    agent_id: UUID
    user_id: str
    channel: str
    label: str | None
    message_count: int
    input_tokens: int
    output_tokens: int
    lease_run_id: UUID | None
    created_at: datetime
    updated_at: datetime


class Message(SQLModel, table=True):
    """`parts` holds content that is not plain text: an image as its hash and size. `thoughts`
    are an assistant's, as the model's vendor wants them back; `is_error` marks the result of a
    tool call that failed.
    """

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("session_id", "seq"), Index("messages_run", "run_id"))

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    session_id: UUID = Field(foreign_key="sessions.id", ondelete="CASCADE")
    run_id: UUID | None = None
    seq: int
    role: MessageRole = Field(sa_type=TextColumn)
    name: str | None = None
    content: str = ""
    parts: list[dict[str, Any]] | None = jsonb(default=None)
    tool_calls: list[dict[str, Any]] | None = jsonb(default=None)
    tool_call_id: str | None = None
    thoughts: list[dict[str, Any]] | None = jsonb(default=None)
    is_error: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = timestamp()


def thinking_of(thoughts: Sequence[Mapping[str, Any]] | None) -> str | None:
    """The part that people can read; None where there is none."""
    texts = [thought["text"] for thought in thoughts or () if thought.get("text")]
    return "\n\n".join(texts) or None


class MessageView(View):
    """`seq` counts from 1 within the session."""

    id: UUID
    session_id: UUID
    run_id: UUID | None
    seq: int
    role: MessageRole
    name: str | None
    content: str
    parts: list[dict[str, Any]] | None
    tool_calls: list[dict[str, Any]] | None
    tool_call_id: str | None
    created_at: datetime
