"""The users whom agents have met."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, func, select
from sqlmodel import col

from goclaw.core.errors import Conflict
from goclaw.core.paging import Page, PageRequest
from goclaw.models.context_files import (
    MAX_FACTS,
    AgentInstance,
    AgentInstanceView,
    UserContextFile,
)
from goclaw.store.database import Db, Reads
from goclaw.store.pages import Total, among_ids, count_of, fetch_count, fetch_page, newest_first
from goclaw.store.query import Query

OF_AGENT = col(AgentInstance.agent_id) == bindparam("agent_id", type_=Uuid)
THEIRS = (
    col(UserContextFile.agent_id) == col(AgentInstance.agent_id),
    col(UserContextFile.user_id) == col(AgentInstance.user_id),
)
COUNTED = (
    select(func.count()).select_from(UserContextFile).where(*THEIRS).scalar_subquery()
).label("file_count")
COLUMNS = (*AgentInstance.__table__.c, COUNTED)  # type: ignore[attr-defined]

BY_ID = Query[AgentInstanceView](
    lambda visible: select(*COLUMNS).where(visible(AgentInstance), among_ids(AgentInstance.id))
)
PAGE = Query[AgentInstanceView](
    lambda visible: newest_first(
        select(*COLUMNS).where(visible(AgentInstance), OF_AGENT), col(AgentInstance.id)
    )
)
TOTAL = Query[Total](lambda visible: count_of(AgentInstance, visible(AgentInstance), OF_AGENT))


FILES = Query[Any](
    lambda visible: (
        select(
            *UserContextFile.__table__.c,  # type: ignore[attr-defined]
            col(AgentInstance.id).label("instance_id"),
        )
        .join(AgentInstance, and_(*THEIRS))
        .where(visible(AgentInstance), among_ids(AgentInstance.id))
        .order_by(col(UserContextFile.file_name))
    )
)


async def instances_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, AgentInstanceView]:
    """Ids the caller may not see are left out."""
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def instances_page(
    reads: Reads, request: PageRequest, agent_id: UUID
) -> Page[AgentInstanceView]:
    """Those that the agent met last come first."""
    return await fetch_page(PAGE, reads, request, agent_id=agent_id)


async def count_instances(reads: Reads, agent_id: UUID) -> int:
    return await fetch_count(TOTAL, reads, agent_id=agent_id)


async def files_by_instance(
    reads: Reads, ids: Collection[UUID]
) -> dict[UUID, list[UserContextFile]]:
    files: dict[UUID, list[UserContextFile]] = {id: [] for id in ids}
    for row in await FILES.fetch(reads, ids=list(ids)):
        files[row.instance_id].append(row)
    return files


async def merge_facts(db: Db, instance: AgentInstance, facts: dict[str, str | None]) -> None:
    """None takes one away. Raises Conflict for too many."""
    merged = {**instance.metadata_, **facts}
    kept = {name: text for name, text in merged.items() if text is not None}
    if len(kept) > MAX_FACTS:
        raise Conflict("facts_full", field="metadata", limit=MAX_FACTS)
    instance.metadata_ = kept
    await db.flush()
