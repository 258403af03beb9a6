"""Where a chat call goes: agent and provider, in one round trip."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Select, Uuid, bindparam, cast, false, func, or_, select
from sqlmodel import col

from goclaw.models.agents import Agent, AgentStatus, AgentType
from goclaw.models.delegations import AgentLink
from goclaw.models.providers import Provider, ProviderSource, ProviderType
from goclaw.models.run_stops import RunStop
from goclaw.store.agent_links import lets_ask
from goclaw.store.database import Reads
from goclaw.store.pool import Row
from goclaw.store.query import Query, Visible

AGENT: Final = (
    "id",
    "key",
    "status",
    "model",
    "system_prompt",
    "max_output_tokens",
    "temperature",
    "store_contents",
    "max_tool_iterations",
    "budget_monthly_cents",
    "tools_config",
    "context_window",
    "context_pruning",
    "compaction_config",
    "subagents_config",
    "agent_type",
    "uses_context_files",
)
COMPUTED: Final = ("thinking_level", "history_limit", "self_evolve", "stop_reason", "may_ask")
PROVIDER: Final = "p_"
"""What the provider's columns are prefixed with, as the agent has some of the same names."""


@dataclass(frozen=True, slots=True)
class TargetProvider:
    """What a turn needs of a provider, by the names of its columns."""

    id: UUID
    name: str
    provider_type: ProviderType
    source: ProviderSource
    api_base: str | None
    api_key: str | None
    enabled: bool
    settings: dict[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """What a turn needs of an agent, by the names of its columns, and its provider. While all
    runs are stopped, `stop_reason` says why; it may be empty. It `may_ask` others where a link
    lets it, be it for some users alone.
    """

    id: UUID
    key: str
    status: AgentStatus
    model: str
    system_prompt: str
    max_output_tokens: int
    temperature: float | None
    store_contents: bool
    max_tool_iterations: int
    budget_monthly_cents: int | None
    tools_config: dict[str, Any]
    context_window: int
    context_pruning: dict[str, Any] | None
    compaction_config: dict[str, Any] | None
    subagents_config: dict[str, Any] | None
    agent_type: AgentType
    uses_context_files: bool
    stop_reason: str | None
    thinking_level: str | None
    history_limit: int | None
    self_evolve: bool
    may_ask: bool
    provider: TargetProvider


PROVIDER_COLUMNS: Final = tuple(TargetProvider.__dataclass_fields__)
PROVIDER_LABELS: Final = tuple(PROVIDER + name for name in PROVIDER_COLUMNS)


def _targets(visible: Visible) -> Select[Any]:
    agent = [col(getattr(Agent, name)) for name in AGENT]
    provider: list[Any] = [
        col(getattr(Provider, name)).label(label)
        for name, label in zip(PROVIDER_COLUMNS, PROVIDER_LABELS, strict=True)
    ]
    other = col(Agent.other_config)
    thinking = other["thinking_level"].astext.label("thinking_level")
    history = cast(other["history_limit"].astext, Integer).label("history_limit")
    evolves = func.coalesce(other["self_evolve"].astext == "true", false()).label("self_evolve")
    stopped = (
        select(func.coalesce(RunStop.reason, ""))
        .where(col(RunStop.resumed_at).is_(None))
        .limit(1)
        .scalar_subquery()
        .label("stop_reason")
    )
    asks = select(col(AgentLink.id)).where(lets_ask(col(Agent.id))).exists().label("may_ask")
    return (
        select(*agent, thinking, history, evolves, stopped, asks, *provider)
        .join_from(Agent, Provider)
        .where(visible(Agent))
    )


BY_ID = Query[Row](
    lambda visible: _targets(visible).where(col(Agent.id) == bindparam("id", type_=Uuid))
)
BY_KEY = Query[Row](lambda visible: _targets(visible).where(col(Agent.key) == bindparam("key")))
BARE = Query[Row](
    lambda visible: (
        _targets(visible)
        .where(
            or_(
                col(Agent.key) == bindparam("key"),
                col(Agent.key) == "default",
                col(Agent.is_default),
            )
        )
        .order_by((col(Agent.key) == bindparam("key")).desc(), (col(Agent.key) == "default").desc())
        .limit(1)
    )
)


async def target(reads: Reads, *, id: UUID | None, key: str, or_default: bool) -> Target | None:
    """The agent with that id, or with that key, or else the default one."""
    if id is not None:
        row = await BY_ID.fetch_one(reads, id=id)
    else:
        row = await (BARE if or_default else BY_KEY).fetch_one(reads, key=key)
    return None if row is None else _target(row)


def _target(row: Row) -> Target:
    provider = TargetProvider(*[row[label] for label in PROVIDER_LABELS])
    agent = {name: row[name] for name in (*AGENT, *COMPUTED)}
    return Target(**agent, provider=provider)
