"""Agents that have others work for them: over which links, and what came of each task."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import (
    Label,
    Patch,
    Shape,
    Text,
    UserId,
    View,
    instant_or_null,
    jsonb,
    timestamp,
)

MAX_LINKS = 100
"""Of one agent."""
MAX_CONCURRENT = 20
MAX_DEPTH = 5
"""Of agents that wait for one another, whoever they are."""
MAX_USERS = 1000

Description = Annotated[Text, StringConstraints(max_length=1000)]
Concurrent = Annotated[int, Field(ge=1, le=MAX_CONCURRENT)]
Users = Annotated[list[UserId], Field(max_length=MAX_USERS)]


class Subagents(BaseModel):
    """An agent's `subagents_config`. `max_spawn_depth` counts the sub-agent as 1, one that it
    spawns as 2. `max_children_per_agent` work at once for one user; `model` is theirs where the
    call names none.
    """

    model_config = ConfigDict(extra="ignore")

    max_spawn_depth: int = Field(default=1, ge=1, le=MAX_DEPTH)
    max_children_per_agent: int = Field(default=5, ge=1, le=20)
    model: Label | None = None


class LinkDirection(StrEnum):
    """Whether the source may ask the target, the target the source, or each the other."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    BIDIRECTIONAL = "bidirectional"


class LinkStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class AgentLinkCreate(Shape):
    """`allow_users` are those for whom it may be used, null is everybody; `deny_users` may not in
    any case.
    """

    source_agent_id: UUID
    target_agent_id: UUID
    direction: LinkDirection = LinkDirection.OUTBOUND
    description: Description | None = None
    max_concurrent: Concurrent = 3
    status: LinkStatus = LinkStatus.ACTIVE
    allow_users: Users | None = None
    deny_users: Users = Field(default_factory=list)


class AgentLinkPatch(Patch):
    direction: LinkDirection = Field(default=None)
    description: Description | None = None
    max_concurrent: Concurrent = Field(default=None)
    status: LinkStatus = Field(default=None)
    allow_users: Users | None = None
    deny_users: Users = Field(default=None)


class AgentLink(SQLModel, table=True):
    __tablename__ = "agent_links"
    __table_args__ = (
        UniqueConstraint("source_agent_id", "target_agent_id"),
        Index("agent_links_target", "target_agent_id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    source_agent_id: UUID = Field(foreign_key="agents.id")
    target_agent_id: UUID = Field(foreign_key="agents.id")
    direction: LinkDirection = Field(sa_type=TextColumn)
    description: str | None = None
    max_concurrent: int = 3
    status: LinkStatus = Field(sa_type=TextColumn)
    allow_users: list[str] | None = jsonb(default=None)
    deny_users: list[str] = jsonb(default_factory=list)
    created_by: str
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()

    def other_end(self, agent_id: UUID) -> UUID:
        return self.target_agent_id if agent_id == self.source_agent_id else self.source_agent_id

    def serves(self, user_id: str) -> bool:
        allowed = self.allow_users is None or user_id in self.allow_users
        return allowed and user_id not in self.deny_users


class DelegationKind(StrEnum):
    """A task for a copy of the agent itself, or for another one."""

    SPAWN = "spawn"
    DELEGATE = "delegate"


class DelegationMode(StrEnum):
    """Whether the run that asked waits for the result, or is told of it later."""

    SYNC = "sync"
    ASYNC = "async"


class DelegationStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Delegation(SQLModel, table=True):
    """One task that a run gave to another. `parent_id` is the task that the run which asked was
    given itself, `root_run_id` the run that gave the first task it came of; `path` are the agents
    from the first that asked to this one, each of which waits for the next where that is waited
    for. `announce_at` is when the result of one that nobody waits for is told next; null once it
    is.
    """

    __tablename__ = "delegation_history"
    __table_args__ = (
        Index("delegation_history_user", "user_id", "id"),
        Index("delegation_history_source", "source_agent_id", "id"),
        Index("delegation_history_target", "target_agent_id", "id"),
        Index("delegation_history_parent", "parent_id"),
        Index("delegation_history_parent_run", "parent_run_id"),
        Index("delegation_history_root", "root_run_id"),
        Index("delegation_history_run", "run_id", unique=True),
        Index("delegation_history_running", "id", postgresql_where=text("status = 'running'")),
        Index(
            "delegation_history_announce",
            "announce_at",
            postgresql_where=text("announce_at is not null"),
        ),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    kind: DelegationKind = Field(sa_type=TextColumn)
    mode: DelegationMode = Field(sa_type=TextColumn)
    status: DelegationStatus = Field(sa_type=TextColumn)
    source_agent_id: UUID = Field(foreign_key="agents.id")
    target_agent_id: UUID = Field(foreign_key="agents.id")
    user_id: str
    parent_id: UUID | None = None
    parent_run_id: UUID
    root_run_id: UUID
    parent_session_id: UUID | None = None
    parent_trace_id: UUID
    path: list[str] = jsonb(default_factory=list)
    run_id: UUID
    trace_id: UUID | None = None
    label: str
    task: str
    model: str | None = None
    result: str | None = None
    error_code: str | None = None
    error: str | None = None
    iterations: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = Field(default=None, sa_type=Numeric(14, 8))
    duration_ms: int | None = None
    announce_at: datetime | None = instant_or_null()
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()
    completed_at: datetime | None = instant_or_null()

    @property
    def depth(self) -> int:
        """How many tasks it came of, and itself."""
        return len(self.path) - 1

    @property
    def spawn_depth(self) -> int:
        """The same of copies of one agent."""
        copies = list(takewhile(lambda id: id == self.path[-1], reversed(self.path)))
        return len(copies) - 1


class DelegationView(View):
    """What its user may read. `iterations` are the answers of the model."""

    id: UUID
    kind: DelegationKind
    mode: DelegationMode
    status: DelegationStatus
    source_agent_id: UUID
    target_agent_id: UUID
    source_agent_key: str | None
    target_agent_key: str | None
    user_id: str
    parent_id: UUID | None
    parent_run_id: UUID
    run_id: UUID
    trace_id: UUID | None
    label: str
    task: str
    result: str | None
    error_code: str | None
    error: str | None
    iterations: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    duration_ms: int | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


def path_of(value: list[Any]) -> tuple[UUID, ...]:
    return tuple(UUID(str(id)) for id in value)
