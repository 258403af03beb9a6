"""Where a chat call goes: agent and provider, in one round trip."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, or_, select
from sqlmodel import col

from goclaw.models.agents import Agent, AgentStatus
from goclaw.models.providers import Provider, ProviderSource, ProviderType
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
    "tools_config",
)
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
    """What a turn needs of an agent, by the names of its columns, and its provider."""

    id: UUID
    key: str
    status: AgentStatus
    model: str
    system_prompt: str
    max_output_tokens: int
    temperature: float | None
    store_contents: bool
    max_tool_iterations: int
    tools_config: dict[str, Any]
    thinking_level: str | None
    provider: TargetProvider


PROVIDER_COLUMNS: Final = tuple(TargetProvider.__dataclass_fields__)
PROVIDER_LABELS: Final = tuple(PROVIDER + name for name in PROVIDER_COLUMNS)


def _targets(visible: Visible) -> Select[Any]:
    agent = [col(getattr(Agent, name)) for name in AGENT]
    provider: list[Any] = [
        col(getattr(Provider, name)).label(label)
        for name, label in zip(PROVIDER_COLUMNS, PROVIDER_LABELS, strict=True)
    ]
    thinking = col(Agent.other_config)["thinking_level"].astext.label("thinking_level")
    return select(*agent, thinking, *provider).join_from(Agent, Provider).where(visible(Agent))


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
    agent = {name: row[name] for name in (*AGENT, "thinking_level")}
    return Target(**agent, provider=provider)
