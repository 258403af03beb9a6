"""Where a chat call goes: agent, provider and the session it continues, in one round trip."""

from typing import Any, Final
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

from goclaw.models.agents import Agent, AgentView
from goclaw.models.providers import Provider
from goclaw.models.sessions import Session
from goclaw.store.database import Reads
from goclaw.store.query import Query, Visible

PROVIDER: Final = "p_"
"""What the provider's columns are prefixed with, as the agent has some of the same names."""


class Target(AgentView):
    """An agent with its provider's columns and the session whose messages were posted."""

    p_id: UUID
    p_name: str
    session_id: UUID | None


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
    provider = [column.label(PROVIDER + column.name) for column in Provider.__table__.c]  # type: ignore[attr-defined]
    agent = Agent.__table__.c  # type: ignore[attr-defined]
    return (
        select(*agent, *provider, col(Provider.name).label("provider"), _continued())
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


def provider_of(target: Target) -> Provider:
    """The provider's columns as a provider."""
    names = [column.name for column in Provider.__table__.c]  # type: ignore[attr-defined]
    return Provider(**{name: getattr(target, PROVIDER + name) for name in names})
