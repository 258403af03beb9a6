"""Context files of agents, those of their users, and which users an agent has met."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from goclaw.core.context_files import MAX_FILE_CHARS, NAMES
from goclaw.core.ids import uuid7
from goclaw.core.reasons import Reason
from goclaw.models.shapes import Shape, UserId, View, jsonb, storable, timestamp

MAX_FACTS = 50
MAX_FACT_NAME_CHARS = 100
MAX_FACT_CHARS = 1_000


def known_name(name: str) -> str:
    if name not in NAMES:
        raise ValueError(Reason("one_of", values=", ".join(NAMES)))
    return name


FileName = Annotated[str, AfterValidator(known_name)]
Content = Annotated[str, StringConstraints(max_length=MAX_FILE_CHARS), AfterValidator(storable)]
FactName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_FACT_NAME_CHARS),
    AfterValidator(storable),
]
Fact = Annotated[str, StringConstraints(max_length=MAX_FACT_CHARS), AfterValidator(storable)]
Facts = Annotated[dict[FactName, Fact | None], Field(min_length=1, max_length=MAX_FACTS)]


class ContextFileWrite(Shape):
    """An empty file is removed."""

    name: FileName
    content: Content


class InstanceFileWrite(Shape):
    """USER.md, the one file that others write for a user. Empty, it is removed."""

    user_id: UserId
    content: Content


class InstanceFacts(BaseModel):
    """Texts to add to what is known of a user with an agent; null takes one away."""

    user_id: UserId
    metadata: Facts


def _short(table: str) -> CheckConstraint:
    return CheckConstraint(f"char_length(content) <= {MAX_FILE_CHARS}", name=f"{table}_short")


class AgentContextFile(SQLModel, table=True):
    """No row is empty."""

    __tablename__ = "agent_context_files"
    __table_args__ = (UniqueConstraint("agent_id", "file_name"), _short("agent_context_files"))

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    file_name: str
    content: str
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()


class UserContextFile(SQLModel, table=True):
    """No row is empty."""

    __tablename__ = "user_context_files"
    __table_args__ = (
        UniqueConstraint("agent_id", "user_id", "file_name"),
        Index("user_context_files_user", "user_id"),
        _short("user_context_files"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    user_id: str
    file_name: str
    content: str
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()


class AgentInstance(SQLModel, table=True):
    """A user whom an agent has met: one with context files, as it is for that user."""

    __tablename__ = "user_agent_profiles"
    __table_args__ = (
        UniqueConstraint("agent_id", "user_id"),
        Index("user_agent_profiles_user", "user_id"),
        Index("user_agent_profiles_page", "agent_id", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    user_id: str
    first_seen_at: datetime = timestamp()
    last_seen_at: datetime = timestamp()
    metadata_: dict[str, Any] = jsonb(default_factory=dict, sa_column_kwargs={"name": "metadata"})


class AgentInstanceView(View):
    """What a caller may read."""

    id: UUID
    agent_id: UUID
    user_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    metadata: dict[str, Any]
    file_count: int
