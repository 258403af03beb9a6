from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, Uuid, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.errors import Conflict, NotFound
from goclaw.core.paging import Page, PageRequest
from goclaw.models.agents import Agent, AgentShare, AgentView
from goclaw.models.providers import Provider
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.pages import Total, among_ids, count_of, fetch_count, fetch_page, newest_first
from goclaw.store.query import CALLER, Query
from goclaw.store.visibility import shared_with

JOINED = select(
    *Agent.__table__.c,  # type: ignore[attr-defined]
    col(Provider.name).label("provider"),
).join_from(Agent, Provider)
SEARCH = bindparam("search", type_=String)
MATCHES = or_(
    SEARCH.is_(None),
    func.strpos(func.lower(Agent.key), func.lower(SEARCH)) > 0,
    func.strpos(func.lower(Agent.display_name), func.lower(SEARCH)) > 0,
)

BY_ID = Query[AgentView](lambda visible: JOINED.where(visible(Agent), among_ids(Agent.id)))
BY_KEY = Query[AgentView](
    lambda visible: JOINED.where(visible(Agent), col(Agent.key) == bindparam("key"))
)
DEFAULT = Query[AgentView](
    lambda visible: (
        JOINED.where(visible(Agent), or_(col(Agent.key) == "default", col(Agent.is_default)))
        .order_by((col(Agent.key) == "default").desc())
        .limit(1)
    )
)
PAGE = Query[AgentView](
    lambda visible: newest_first(JOINED.where(visible(Agent), MATCHES), col(Agent.id))
)
TOTAL = Query[Total](lambda visible: count_of(Agent, visible(Agent), MATCHES))
SEEN = Query[Total](
    lambda _: (
        select(func.count().label("total"))
        .select_from(Agent)
        .where(
            col(Agent.id) == bindparam("id", type_=Uuid),
            shared_with(bindparam(CALLER)),
        )
        .having(func.count() > 0)
    )
)
SHARES = Query[AgentShare](
    lambda visible: (
        select(AgentShare)
        .where(visible(AgentShare), among_ids(AgentShare.agent_id))
        .order_by(col(AgentShare.id))
    )
)


async def agents_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, AgentView]:
    """Ids the caller may not see are left out."""
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def agent_by_key(reads: Reads, key: str) -> AgentView | None:
    return await BY_KEY.fetch_one(reads, key=key)


async def default_agent(reads: Reads) -> AgentView | None:
    """The agent whose key is `default`, else the one marked as default."""
    return await DEFAULT.fetch_one(reads)


async def agents_page(reads: Reads, request: PageRequest, search: str | None) -> Page[AgentView]:
    return await fetch_page(PAGE, reads, request, search=search)


async def count_agents(reads: Reads, search: str | None) -> int:
    return await fetch_count(TOTAL, reads, search=search)


async def shares_by_agent(reads: Reads, ids: Collection[UUID]) -> dict[UUID, list[AgentShare]]:
    """Only the shares the caller may see; oldest first."""
    shares: dict[UUID, list[AgentShare]] = {id: [] for id in ids}
    for row in await SHARES.fetch(reads, ids=list(ids)):
        shares[row.agent_id].append(row)
    return shares


async def may_see_agent(reads: Reads, id: UUID) -> bool:
    """Also for an agent that was deleted a moment ago."""
    return bool(await SEEN.fetch(reads, id=id))


async def agent_to_change(db: Db, id: UUID) -> Agent | None:
    """The row, locked until the block ends."""
    return (
        await db.exec(db.visible(Agent).where(col(Agent.id) == id).with_for_update())
    ).one_or_none()


async def administers(db: Db, agent: Agent) -> bool:
    """Whether the caller owns the agent or holds an admin share of it."""
    if db.caller.sees_all or agent.owner_id == db.caller.user_id:
        return True
    share = select_one(AgentShare.role).where(
        col(AgentShare.agent_id) == agent.id, col(AgentShare.user_id) == db.caller.user_id
    )
    return (await db.exec(share)).one_or_none() == "admin"


async def save_agent(db: Db, agent: Agent) -> Agent:
    """Raises Conflict when the key is taken, NotFound when the provider is gone."""
    agent.updated_at = now()
    key, provider_id = agent.key, agent.provider_id  # a failed flush makes the row forget them
    if agent.is_default:
        await _unmark_other_default(db, agent.id)
    db.add(agent)
    try:
        await db.flush()
    except IntegrityError as error:
        if "provider_id" in str(error.orig):
            raise NotFound("provider_not_found", field="provider_id", id=provider_id) from error
        raise Conflict("agent_key_taken", field="key", key=key) from error
    return agent


async def _unmark_other_default(db: Db, id: UUID) -> None:
    """Before the new one is written, as there can only be one."""
    others = (
        update(Agent)
        .where(col(Agent.is_default), col(Agent.deleted_at).is_(None), col(Agent.id) != id)
        .values(is_default=False)
    )
    with db.no_autoflush:
        await db.exec(others)


async def remove_agent(db: Db, agent: Agent) -> None:
    """Its key is free again; its sessions and traces stay."""
    agent.deleted_at = now()
    agent.is_default = False
    await db.flush()


async def agents_of(db: Db, user_id: str) -> Sequence[Agent]:
    """The live agents of a user, whoever asks, locked until the block ends."""
    statement = select_one(Agent).where(
        col(Agent.owner_id) == user_id, col(Agent.deleted_at).is_(None)
    )
    return (await db.exec(statement.order_by(col(Agent.id)).with_for_update())).all()


async def transfer_agent(db: Db, agent: Agent, user_id: str) -> None:
    """The new owner needs no share any more."""
    await remove_share(db, agent.id, user_id)
    agent.owner_id = user_id
    agent.updated_at = now()
    await db.flush()


async def view_of(db: Db, agent: Agent) -> AgentView:
    """Also for a caller who sees the agent no more."""
    name = select_one(Provider.name).where(col(Provider.id) == agent.provider_id)
    values: dict[str, Any] = {
        field: getattr(agent, field, None) for field in AgentView.model_fields
    }
    return AgentView(**values | {"provider": (await db.exec(name)).one()})


async def save_share(db: Db, share: AgentShare) -> AgentShare:
    """Adds the share, or changes the role of the one there is."""
    values = share.model_dump()
    upsert = insert(AgentShare).values(values)
    statement = upsert.on_conflict_do_update(
        index_elements=["agent_id", "user_id"],
        set_={key: values[key] for key in ("role", "granted_by", "updated_at")},
    ).returning(AgentShare)
    saved: AgentShare = (await db.exec(statement)).scalar_one()
    return saved


async def remove_share(db: Db, agent_id: UUID, user_id: str) -> UUID | None:
    """The id of the share that went, if there was one."""
    statement = (
        delete(AgentShare)
        .where(col(AgentShare.agent_id) == agent_id, col(AgentShare.user_id) == user_id)
        .returning(col(AgentShare.id))
    )
    return (await db.exec(statement)).scalar_one_or_none()


async def any_agent(db: Db) -> bool:
    """Whether there ever was an agent, deleted ones included."""
    return bool((await db.exec(select_one(func.count()).select_from(Agent))).one())
