"""Tasks that agents give one another: as their users read them, and as they are begun and ended."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.paging import Page, PageRequest
from goclaw.models.agents import Agent
from goclaw.models.delegations import (
    AgentLink,
    Delegation,
    DelegationKind,
    DelegationStatus,
    DelegationView,
)
from goclaw.models.runs import Run, RunStatus
from goclaw.models.sessions import Message, MessageRole
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.pages import (
    Total,
    among_ids,
    count_of,
    equals_if_given,
    fetch_count,
    fetch_page,
    newest_first,
)
from goclaw.store.query import Query

BATCH: Final = 20
LOST: Final = timedelta(seconds=60)
"""After which a task whose run was never put down has failed."""

SOURCE, TARGET = aliased(Agent), aliased(Agent)
HIDDEN: Final = (
    "path",
    "model",
    "announce_at",
    "parent_session_id",
    "parent_trace_id",
    "root_run_id",
)
COLUMNS: Final[tuple[Any, ...]] = (
    *(c for c in Delegation.__table__.c if c.name not in HIDDEN),  # type: ignore[attr-defined]
    col(SOURCE.key).label("source_agent_key"),
    col(TARGET.key).label("target_agent_key"),
)
FILTERS: Final = ("source_agent_id", "target_agent_id", "user_id", "status", "parent_run_id")
MATCHES: Final = tuple(equals_if_given(col(getattr(Delegation, name)), name) for name in FILTERS)


def _rows() -> Any:
    return (
        select(*COLUMNS)
        .outerjoin(SOURCE, col(SOURCE.id) == col(Delegation.source_agent_id))
        .outerjoin(TARGET, col(TARGET.id) == col(Delegation.target_agent_id))
    )


BY_ID = Query[DelegationView](
    lambda visible: _rows().where(visible(Delegation), among_ids(Delegation.id))
)
BY_PARENT = Query[DelegationView](
    lambda visible: (
        _rows()
        .where(visible(Delegation), among_ids(Delegation.parent_id))
        .order_by(col(Delegation.id))
    )
)
PAGE = Query[DelegationView](
    lambda visible: newest_first(_rows().where(visible(Delegation), *MATCHES), col(Delegation.id))
)
TOTAL = Query[Total](lambda visible: count_of(Delegation, visible(Delegation), *MATCHES))


async def delegations_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, DelegationView]:
    """Ids the caller may not see are left out."""
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def delegations_by_parent(
    reads: Reads, ids: Collection[UUID]
) -> dict[UUID, list[DelegationView]]:
    """Tasks that came of a task, in the order they were given."""
    children: dict[UUID, list[DelegationView]] = {id: [] for id in ids}
    for row in await BY_PARENT.fetch(reads, ids=list(ids)):
        assert row.parent_id is not None
        children[row.parent_id].append(row)
    return children


async def delegations_page(
    reads: Reads, request: PageRequest, **filters: object
) -> Page[DelegationView]:
    """`filters` are the names in `FILTERS`; None leaves one out."""
    return await fetch_page(PAGE, reads, request, **filters)


async def count_delegations(reads: Reads, **filters: object) -> int:
    return await fetch_count(TOTAL, reads, **filters)


# ---------------------------------------------------------------- beginning


async def one_at_a_time(db: Db, agent_id: UUID) -> None:
    """Until the block ends nobody else begins a task from that agent."""
    await db.exec(select_one(func.pg_advisory_xact_lock(func.hashtext(f"tasks:{agent_id}"))))


async def tasks_at_work(db: Db, agent_id: UUID, user_id: str) -> int:
    """How many sub-agents of an agent work for one user."""
    at_work = select_one(func.count()).where(
        col(Delegation.source_agent_id) == agent_id,
        col(Delegation.user_id) == user_id,
        col(Delegation.kind) == DelegationKind.SPAWN,
        col(Delegation.status) == DelegationStatus.RUNNING,
    )
    return (await db.exec(at_work)).one()


async def link_at_work(db: Db, link: AgentLink) -> int:
    """How many tasks go over a link at once, either way and for whomever."""
    ends = (link.source_agent_id, link.target_agent_id)
    at_work = select_one(func.count()).where(
        col(Delegation.source_agent_id).in_(ends),
        col(Delegation.target_agent_id).in_(ends),
        col(Delegation.kind) == DelegationKind.DELEGATE,
        col(Delegation.status) == DelegationStatus.RUNNING,
    )
    return (await db.exec(at_work)).one()


async def add_delegation(db: Db, delegation: Delegation) -> Delegation:
    db.add(delegation)
    await db.flush()
    return delegation


async def delegation_of_run(db: Db, run_id: UUID) -> Delegation | None:
    """The task that a run was given."""
    return (
        await db.exec(select_one(Delegation).where(col(Delegation.run_id) == run_id))
    ).one_or_none()


async def own_delegations(db: Db, agent_id: UUID, user_id: str, most: int) -> Sequence[Delegation]:
    """Tasks that an agent gave others for that user, those at work first, then newest first."""
    rows = (
        select_one(Delegation)
        .where(col(Delegation.source_agent_id) == agent_id, col(Delegation.user_id) == user_id)
        .order_by(
            (col(Delegation.status) == DelegationStatus.RUNNING).desc(), col(Delegation.id).desc()
        )
        .limit(most)
    )
    return (await db.exec(rows)).all()


# ---------------------------------------------------------------- ending


async def ended_delegations(
    db: Db, only: UUID | None = None
) -> Sequence[tuple[Delegation, Run | None]]:
    """Those at work whose run has ended or is gone, locked until the block ends."""
    ended = (
        select_one(Delegation, Run)
        .outerjoin(Run, col(Run.id) == col(Delegation.run_id))
        .where(
            col(Delegation.status) == DelegationStatus.RUNNING,
            col(Run.status).not_in((RunStatus.QUEUED, RunStatus.RUNNING))
            | (col(Run.id).is_(None) & (col(Delegation.created_at) < now() - LOST)),
        )
        .limit(BATCH)
        .with_for_update(of=Delegation, skip_locked=only is None)
    )
    if only is not None:
        ended = ended.where(col(Delegation.id) == only)
    return (await db.exec(ended)).all()


async def delegation_at_work(db: Db, id: UUID) -> Delegation | None:
    """The row, locked until the block ends; None when it has ended."""
    at_work = select_one(Delegation).where(
        col(Delegation.id) == id, col(Delegation.status) == DelegationStatus.RUNNING
    )
    return (await db.exec(at_work.with_for_update())).one_or_none()


async def answers_of_run(db: Db, run_id: UUID) -> tuple[int, str]:
    """How many answers the model gave, and the last one's text."""
    said = (
        select_one(Message.content)
        .where(col(Message.run_id) == run_id, col(Message.role) == MessageRole.ASSISTANT)
        .order_by(col(Message.seq))
    )
    texts = (await db.exec(said)).all()
    return len(texts), texts[-1] if texts else ""


async def to_announce(db: Db) -> Sequence[Delegation]:
    """Results that are to be told to one session, which is whose turn it is longest; locked until
    the block ends, as are none of those that another replica tells.
    """
    due = col(Delegation.announce_at) <= now()
    first = (
        await db.exec(
            select_one(Delegation)
            .where(due)
            .order_by(col(Delegation.announce_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
    ).one_or_none()
    if first is None:
        return ()
    rest = (
        select_one(Delegation)
        .where(
            col(Delegation.announce_at).is_not(None),
            col(Delegation.parent_session_id) == first.parent_session_id,
            col(Delegation.id) != first.id,
        )
        .order_by(col(Delegation.id))
        .limit(BATCH - 1)
        .with_for_update(skip_locked=True)
    )
    return sorted([first, *(await db.exec(rest)).all()], key=lambda row: row.id)


async def still_at_work(db: Db, session_id: UUID) -> int:
    """How many tasks that were given in a session go on."""
    going = select_one(func.count()).where(
        col(Delegation.parent_session_id) == session_id,
        col(Delegation.status) == DelegationStatus.RUNNING,
    )
    return (await db.exec(going)).one()


ABOUT_TO_DO: Final = """
select
    exists (select from delegation_history as d left join runs on runs.id = d.run_id
        where d.status = 'running' and (runs.status not in ('queued', 'running')
            or runs.id is null and d.created_at < now() - interval '60 seconds')) as ended,
    exists (select from delegation_history where announce_at <= now()) as due
"""


def later(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)
