"""Agents: a model with a prompt and limits, its owner, and whom it is shared with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ValidationError
from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.core.tools_config import checked_tools_config
from goclaw.models.compaction import Compaction
from goclaw.models.delegations import Subagents
from goclaw.models.pruning import Pruning
from goclaw.models.shapes import (
    MAX_INT,
    JsonObject,
    Label,
    LongText,
    Patch,
    Shape,
    Slug,
    UserId,
    View,
    instant_or_null,
    jsonb,
    timestamp,
)


class AgentType(StrEnum):
    """Whether each user shapes the agent (open) or all share one persona (predefined)."""

    OPEN = "open"
    PREDEFINED = "predefined"


class AgentStatus(StrEnum):
    """Only an active agent answers."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUMMONING = "summoning"
    SUMMON_FAILED = "summon_failed"


STORED: Any = Field(default=True, sa_column_kwargs={"server_default": text("true")})
MAX_HISTORY = 2000
THINKING_LEVELS = ("off", "low", "medium", "high")


def known_thinking_level(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("thinking_level", "off") not in THINKING_LEVELS:
        raise ValueError(f"thinking_level must be one of {', '.join(THINKING_LEVELS)}")
    return config


def bounded_history(config: dict[str, Any]) -> dict[str, Any]:
    limit = config.get("history_limit", 1)
    if type(limit) is not int or not 1 <= limit <= MAX_HISTORY:
        raise ValueError(f"history_limit must be a whole number from 1 to {MAX_HISTORY}")
    return config


def known_self_evolve(config: dict[str, Any]) -> dict[str, Any]:
    if type(config.get("self_evolve", False)) is not bool:
        raise ValueError("self_evolve must be true or false")
    return config


def as_rules_of(rules: type[BaseModel]) -> AfterValidator:
    """What `rules` does not know is left alone; what it does know must be right."""

    def checked(config: dict[str, Any] | None) -> dict[str, Any] | None:
        if config is not None:
            try:
                rules.model_validate(config)
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                raise ValueError(f"{problem['loc'][0]}: {problem['msg']}") from error
        return config

    return AfterValidator(checked)


OtherConfig = Annotated[
    JsonObject,
    AfterValidator(known_thinking_level),
    AfterValidator(bounded_history),
    AfterValidator(known_self_evolve),
]
"""`thinking_level` is how hard the model is asked to think; without it, it thinks as it likes.
`history_limit` is how many messages of a session it is told when that goes on, 200 without it.
With `self_evolve` a predefined agent may change its SOUL.md, which all its users share.
"""
PruningConfig = Annotated[JsonObject | None, as_rules_of(Pruning)]
CompactionConfig = Annotated[JsonObject | None, as_rules_of(Compaction)]
SubagentsConfig = Annotated[JsonObject | None, as_rules_of(Subagents)]

ToolsConfig = Annotated[JsonObject, AfterValidator(checked_tools_config)]
"""As `core.tools_config` reads it: profile, allow, alsoAllow, deny, byProvider."""


class AgentBase(Shape):
    key: Slug
    model: Label = ""
    display_name: Label | None = None
    description: LongText | None = None
    system_prompt: LongText = ""
    agent_type: AgentType = Field(default=AgentType.OPEN, sa_type=TextColumn)
    status: AgentStatus = Field(default=AgentStatus.ACTIVE, sa_type=TextColumn)
    is_default: bool = False
    context_window: int = Field(default=200_000, gt=0, le=MAX_INT)
    max_output_tokens: int = Field(default=8192, gt=0, le=MAX_INT)
    max_tool_iterations: int = Field(default=20, gt=0, le=1000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    budget_monthly_cents: int | None = Field(default=None, ge=0, le=MAX_INT)
    store_contents: bool = STORED
    frontmatter: LongText | None = None
    tools_config: ToolsConfig = jsonb(default_factory=dict)
    sandbox_config: JsonObject | None = jsonb(default=None)
    subagents_config: SubagentsConfig = jsonb(default=None)
    memory_config: JsonObject | None = jsonb(default_factory=lambda: {"enabled": True})
    compaction_config: CompactionConfig = jsonb(default_factory=dict)
    context_pruning: PruningConfig = jsonb(default=None)
    other_config: OtherConfig = jsonb(default_factory=dict)


class AgentCreate(AgentBase):
    """What a caller chooses. Without a provider the default agent's is taken, with its model. A
    predefined agent uses context files unless told otherwise, an open one if it is told to.
    """

    provider_id: UUID | None = None
    uses_context_files: bool | None = None


class AgentPatch(Patch):
    key: Slug = Field(default=None)
    provider_id: UUID = Field(default=None)
    model: Label = Field(default=None)
    display_name: Label | None = None
    description: LongText | None = None
    system_prompt: LongText = Field(default=None)
    agent_type: AgentType = Field(default=None)
    status: AgentStatus = Field(default=None)
    is_default: bool = Field(default=None)
    context_window: int = Field(default=None, gt=0, le=MAX_INT)
    max_output_tokens: int = Field(default=None, gt=0, le=MAX_INT)
    max_tool_iterations: int = Field(default=None, gt=0, le=1000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    budget_monthly_cents: int | None = Field(default=None, ge=0, le=MAX_INT)
    store_contents: bool = Field(default=None)
    uses_context_files: bool = Field(default=None)
    frontmatter: LongText | None = None
    tools_config: ToolsConfig = Field(default=None)
    sandbox_config: JsonObject | None = None
    subagents_config: SubagentsConfig = None
    memory_config: JsonObject | None = None
    compaction_config: CompactionConfig = None
    context_pruning: PruningConfig = None
    other_config: OtherConfig = Field(default=None)


LIVE = text("deleted_at is null")


class Agent(AgentBase, table=True):
    """Deleted softly. Only a deleted agent can be without a provider."""

    __tablename__ = "agents"
    __table_args__ = (
        Index("agents_key", "key", unique=True, postgresql_where=LIVE),
        Index(
            "agents_one_default",
            "is_default",
            unique=True,
            postgresql_where=text("is_default and deleted_at is null"),
        ),
        Index("agents_owner", "owner_id", postgresql_where=LIVE),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    owner_id: str
    provider_id: UUID = Field(
        foreign_key="providers.id", ondelete="SET NULL", nullable=True, index=True
    )
    uses_context_files: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false")}
    )
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()
    deleted_at: datetime | None = instant_or_null()


class AgentView(View):
    """What a caller may read. `provider` is the provider's name."""

    id: UUID
    key: str
    owner_id: str
    provider_id: UUID
    provider: str
    model: str
    display_name: str | None
    description: str | None
    system_prompt: str
    agent_type: AgentType
    status: AgentStatus
    is_default: bool
    context_window: int
    max_output_tokens: int
    max_tool_iterations: int
    temperature: float | None
    budget_monthly_cents: int | None
    store_contents: bool
    uses_context_files: bool
    frontmatter: str | None
    tools_config: dict[str, Any]
    sandbox_config: dict[str, Any] | None
    subagents_config: dict[str, Any] | None
    memory_config: dict[str, Any] | None
    compaction_config: dict[str, Any] | None
    context_pruning: dict[str, Any] | None
    other_config: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AgentPreview:
    """What a model is told before anybody speaks, and the names of the tools it may call."""

    system_prompt: str
    tools: list[str]


class ShareRole(StrEnum):
    """What another user may do with a shared agent: use it, or (admin) change it too."""

    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"


class ShareCreate(Shape):
    user_id: UserId
    role: ShareRole = ShareRole.USER


class AgentTransfer(Shape):
    """`user_id` is the new owner; with `keep_access` the old one goes on administering it."""

    user_id: UserId
    keep_access: bool = False


class AgentShare(SQLModel, table=True):
    __tablename__ = "agent_shares"
    __table_args__ = (
        UniqueConstraint("agent_id", "user_id"),
        Index("agent_shares_user", "user_id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    user_id: str
    role: ShareRole = Field(default=ShareRole.USER, sa_type=TextColumn)
    granted_by: str
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()
