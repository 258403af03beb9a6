"""Where a chat call goes: agent, provider and the session it continues, in one round trip."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    Uuid,
    bindparam,
    func,
    or_,
    select,
)
from sqlmodel import col

from goclaw.models.agents import Agent, AgentStatus
from goclaw.models.providers import Provider, ProviderSource, ProviderType
from goclaw.models.sessions import Session
from goclaw.store.database import Reads
from goclaw.store.query import Query, Visible

AGENT: Final = (
    "id",
    "key",
    "status",
    "model",
    "system_prompt",
    "max_output_tokens",
    "temperature",
)
PROVIDER: Final = "p_"
"""What the provider's columns are prefixed with, as the agent has some of the same names."""


class Target:
    """What a turn needs of an agent, and the session whose messages were posted."""

    id: UUID
    key: str
    status: AgentStatus
    model: str
    system_prompt: str
    max_output_tokens: int
    temperature: float | None
    thinking_level: str | None
    session_id: UUID | None


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


PROVIDER_COLUMNS: Final = tuple(TargetProvider.__dataclass_fields__)
PROVIDER_LABELS: Final = tuple(PROVIDER + name for name in PROVIDER_COLUMNS)


def _continued() -> ColumnElement[Any]:
    """The session of the user that holds just what was posted, if no run is writing to it."""
    return (
        select(col(Session.id))
        .where(
            col(Session.prefix_hash) == bindparam("prefix_hash", type_=LargeBinary),
            col(Session.agent_id) == col(Agent.id),
            col(Session.user_id) == bindparam("session_user"),
            or_(col(Session.lease_until).is_(None), col(Session.lease_until) < func.now()),
        )
        .order_by(col(Session.id).desc())
        .limit(1)
        .scalar_subquery()
        .label("session_id")
    )


def _targets(visible: Visible) -> Select[Any]:
    agent = [col(getattr(Agent, name)) for name in AGENT]
    provider: list[Any] = [
        col(getattr(Provider, name)).label(label)
        for name, label in zip(PROVIDER_COLUMNS, PROVIDER_LABELS, strict=True)
    ]
    thinking = col(Agent.other_config)["thinking_level"].astext.label("thinking_level")
    return (
        select(*agent, thinking, *provider, _continued())
        .join_from(Agent, Provider)
        .where(visible(Agent))
    )


BY_ID = Query[Target](
    lambda visible: _targets(visible).where(col(Agent.id) == bindparam("id", type_=Uuid))
)
BY_KEY = Query[Target](lambda visible: _targets(visible).where(col(Agent.key) == bindparam("key")))
BARE = Query[Target](
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


async def target(
    reads: Reads,
    *,
    id: UUID | None,
    key: str,
    or_default: bool,
    user_id: str,
    prefix_hash: bytes | None,
) -> Target | None:
    """The agent with that id, or with that key, or else the default one."""
    posted = {"session_user": user_id, "prefix_hash": prefix_hash}
    if id is not None:
        return await BY_ID.fetch_one(reads, id=id, **posted)
    query = BARE if or_default else BY_KEY
    return await query.fetch_one(reads, key=key, **posted)


def provider_of(target: Target) -> TargetProvider:
    row = cast("Any", target)
    return TargetProvider(*[row[label] for label in PROVIDER_LABELS])
