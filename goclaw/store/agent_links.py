"""Over which links agents may give one another tasks."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select
from sqlalchemy import Uuid as UuidType
from sqlalchemy.orm import Mapped
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.errors import Conflict
from goclaw.core.paging import Page, PageRequest
from goclaw.models.delegations import MAX_LINKS, AgentLink, LinkDirection, LinkStatus
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.pages import Total, among_ids, count_of, fetch_count, fetch_page, newest_first
from goclaw.store.query import Query

_AGENT = bindparam("agent_id", type_=UuidType)
OF_AGENT = or_(
    _AGENT.is_(None),
    col(AgentLink.source_agent_id) == _AGENT,
    col(AgentLink.target_agent_id) == _AGENT,
)
BY_ID = Query[AgentLink](
    lambda visible: select(AgentLink).where(visible(AgentLink), among_ids(AgentLink.id))
)
PAGE = Query[AgentLink](
    lambda visible: newest_first(
        select(AgentLink).where(visible(AgentLink), OF_AGENT), col(AgentLink.id)
    )
)
TOTAL = Query[Total](lambda visible: count_of(AgentLink, visible(AgentLink), OF_AGENT))


async def agent_links_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, AgentLink]:
    """Ids the caller may not see are left out."""
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def agent_links_page(
    reads: Reads, request: PageRequest, agent_id: UUID | None
) -> Page[AgentLink]:
    return await fetch_page(PAGE, reads, request, agent_id=agent_id)


async def count_agent_links(reads: Reads, agent_id: UUID | None) -> int:
    return await fetch_count(TOTAL, reads, agent_id=agent_id)


async def agent_link_to_change(db: Db, id: UUID) -> AgentLink | None:
    """The row, locked until the block ends."""
    found = db.visible(AgentLink).where(col(AgentLink.id) == id).with_for_update()
    return (await db.exec(found)).one_or_none()


async def add_agent_link(db: Db, link: AgentLink) -> AgentLink:
    """Raises Conflict for two agents that are linked already, and for too many links of one."""
    ends = sorted((str(link.source_agent_id), str(link.target_agent_id)))
    for end in ends:  # one is added after the other, in an order that nobody waits in a circle
        await db.exec(select_one(func.pg_advisory_xact_lock(func.hashtext(f"links:{end}"))))
    same = select_one(AgentLink).where(
        col(AgentLink.source_agent_id) == link.source_agent_id,
        col(AgentLink.target_agent_id) == link.target_agent_id,
    )
    if (await db.exec(same)).one_or_none() is not None:
        raise Conflict("agents_linked")
    had = select_one(func.count()).where(col(AgentLink.source_agent_id) == link.source_agent_id)
    if (await db.exec(had)).one() >= MAX_LINKS:
        raise Conflict("links_full", limit=MAX_LINKS)
    db.add(link)
    await db.flush()
    return link


async def save_agent_link(db: Db, link: AgentLink) -> AgentLink:
    link.updated_at = now()
    await db.flush()
    return link


async def remove_agent_link(db: Db, link: AgentLink) -> None:
    await db.delete(link)
    await db.flush()


async def remove_agent_links_of(db: Db, agent_id: UUID) -> Sequence[AgentLink]:
    """All of an agent, in either direction; gives what went."""
    gone = (
        delete(AgentLink)
        .where(
            or_(
                col(AgentLink.source_agent_id) == agent_id,
                col(AgentLink.target_agent_id) == agent_id,
            )
        )
        .returning(AgentLink)
    )
    rows: Sequence[AgentLink] = (await db.exec(gone)).scalars().all()
    return rows


def lets_ask(asking: Mapped[UUID] | UUID) -> ColumnElement[bool]:
    """Whether a link lets that agent ask the one at its other end."""
    direction = col(AgentLink.direction)
    forward = and_(col(AgentLink.source_agent_id) == asking, direction != LinkDirection.INBOUND)
    backward = and_(col(AgentLink.target_agent_id) == asking, direction != LinkDirection.OUTBOUND)
    return and_(col(AgentLink.status) == LinkStatus.ACTIVE, or_(forward, backward))


async def links_from(db: Db, asking: UUID) -> Sequence[tuple[AgentLink, UUID]]:
    """Active links that let an agent ask others, and whom; those made first come first."""
    rows = select_one(AgentLink).where(lets_ask(asking)).order_by(col(AgentLink.id))
    return [(link, link.other_end(asking)) for link in (await db.exec(rows)).all()]
