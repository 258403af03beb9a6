from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    all_,
    and_,
    bindparam,
    column,
    func,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.paging import LAST_ID, Page, PageRequest, page_of
from goclaw.models.sessions import Message, Session
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

OF_AGENT = equals_if_given(col(Session.agent_id), "agent_id")
APART = col(Session.channel) != all_(bindparam("apart", type_=ARRAY(Text())))
LISTED = and_(OF_AGENT, APART)
EVER = text("'-infinity'::timestamptz")
OF_SESSION = col(Message.session_id) == bindparam("session_id", type_=Uuid)
BEFORE = bindparam("before", type_=Uuid)
_cursor = aliased(Message)
EARLIER = or_(
    literal(LAST_ID, Uuid) == BEFORE,
    col(Message.seq)
    < select(col(_cursor.seq))
    .where(col(_cursor.id) == BEFORE, col(_cursor.session_id) == col(Message.session_id))
    .correlate(Message)
    .scalar_subquery(),
)
"""Than the message `before`, by its place: a result got its id before the tool was at work, and
what a user said meanwhile stands behind it.
"""

BY_ID = Query[Session](
    lambda visible: select(Session).where(visible(Session), among_ids(Session.id))
)
PAGE = Query[Session](
    lambda visible: newest_first(select(Session).where(visible(Session), LISTED), col(Session.id))
)
TOTAL = Query[Total](lambda visible: count_of(Session, visible(Session), LISTED))
MESSAGES = Query[Message](
    lambda visible: (
        select(Message)
        .where(visible(Message), OF_SESSION, EARLIER)
        .order_by(col(Message.seq).desc())
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )
)
MESSAGES_TOTAL = Query[Total](lambda visible: count_of(Message, visible(Message), OF_SESSION))
MESSAGES_UNTIL = Query[Message](
    lambda visible: (
        select(Message)
        .where(visible(Message), OF_SESSION, col(Message.seq) <= bindparam("last_seq"))
        .order_by(col(Message.seq).desc())
        .limit(bindparam("limit"))
    )
)
MESSAGES_OF_EACH = Query[Message](lambda visible: _of_each(visible(Message)))
MESSAGES_BY_ID = Query[Message](
    lambda visible: select(Message).where(visible(Message), among_ids(Message.id))
)


BY_KEY = Query[Session](
    lambda visible: select(Session).where(
        visible(Session),
        col(Session.agent_id) == bindparam("agent_id", type_=Uuid),
        col(Session.user_id) == bindparam("session_user"),
        col(Session.key) == bindparam("key"),
    )
)
LATELY = Query[Session](
    lambda visible: (
        select(Session)
        .where(
            visible(Session),
            col(Session.agent_id) == bindparam("agent_id", type_=Uuid),
            col(Session.updated_at)
            >= func.coalesce(bindparam("since", type_=DateTime(timezone=True)), EVER),
        )
        .order_by(col(Session.updated_at).desc())
        .limit(bindparam("limit"))
    )
)
WITH_LABEL = Query[Session](
    lambda visible: (
        select(Session)
        .where(
            visible(Session),
            col(Session.agent_id) == bindparam("agent_id", type_=Uuid),
            col(Session.label) == bindparam("label"),
        )
        .order_by(col(Session.updated_at).desc())
        .limit(bindparam("limit"))
    )
)
SAID_LAST = Query[Message](
    lambda visible: (
        select(Message)
        .where(
            visible(Message),
            col(Message.run_id) == bindparam("run_id", type_=Uuid),
            col(Message.role) == bindparam("role"),
        )
        .order_by(col(Message.seq).desc())
        .limit(1)
    )
)


STEPS = Query[Message](
    lambda visible: (
        select(Message)
        .where(
            visible(Message),
            col(Message.run_id) == bindparam("run_id", type_=Uuid),
            col(Message.created_at) > bindparam("begun", type_=DateTime(timezone=True)),
        )
        .order_by(col(Message.seq))
    )
)


def _of_each(visible: Any) -> Select[Any]:
    """The last messages before one of them, for several sessions at once."""
    given = func.unnest(bindparam("ids", type_=ARRAY(Uuid)))
    ids = given.table_valued(column("id", Uuid), name="wanted").render_derived()
    last = (
        select(Message)
        .where(visible, col(Message.session_id) == ids.c.id, EARLIER)
        .order_by(col(Message.seq).desc())
        .limit(bindparam("limit"))
        .lateral("last")
    )
    return select(*last.c).select_from(ids).join(last, true()).order_by(last.c.seq.desc())


class Tail(NamedTuple):
    """The messages of a session up to one of them."""

    session_id: UUID
    last_seq: int


def _of_each_tail(visible: Any) -> Select[Any]:
    """Messages, with the `until` of the tail each was asked for with."""
    given = func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)), bindparam("seqs", type_=ARRAY(Integer))
    )
    tails = given.table_valued(
        column("session_id", Uuid), column("until", Integer), name="wanted"
    ).render_derived()
    last = (
        select(Message)
        .where(
            visible,
            col(Message.session_id) == tails.c.session_id,
            col(Message.seq) <= tails.c.until,
        )
        .order_by(col(Message.seq).desc())
        .limit(bindparam("limit"))
        .lateral("last")
    )
    return select(*last.c, tails.c.until).select_from(tails).join(last, true()).order_by(last.c.seq)


MESSAGES_OF_TAILS = Query[Any](lambda visible: _of_each_tail(visible(Message)))


async def sessions_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, Session]:
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def sessions_page(
    reads: Reads, request: PageRequest, agent_id: UUID | None, apart: Collection[str] = ()
) -> Page[Session]:
    """Without those of the channels `apart`."""
    return await fetch_page(PAGE, reads, request, agent_id=agent_id, apart=[*apart])


async def count_sessions(reads: Reads, agent_id: UUID | None, apart: Collection[str] = ()) -> int:
    return await fetch_count(TOTAL, reads, agent_id=agent_id, apart=[*apart])


async def messages_page(reads: Reads, request: PageRequest, session_id: UUID) -> Page[Message]:
    """Newest first, like every page; callers turn it round for reading."""
    return await fetch_page(MESSAGES, reads, request, session_id=session_id)


async def messages_of_each(
    reads: Reads, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[Message]]:
    """A page of each session, read together."""
    pages: dict[UUID, list[Message]] = {id: [] for id in ids}
    rows = await MESSAGES_OF_EACH.fetch(
        reads, ids=list(ids), before=request.before, limit=request.limit + 1
    )
    for row in rows:
        pages[row.session_id].append(row)
    return {id: page_of(page, request) for id, page in pages.items()}


async def messages_of_tails(
    reads: Reads, tails: Collection[Tail], limit: int
) -> dict[Tail, list[Message]]:
    """The last messages of each, oldest first, read together."""
    found: dict[Tail, list[Message]] = {tail: [] for tail in tails}
    rows = await MESSAGES_OF_TAILS.fetch(
        reads,
        ids=[tail.session_id for tail in tails],
        seqs=[tail.last_seq for tail in tails],
        limit=limit,
    )
    for row in rows:
        found[Tail(row.session_id, row.until)].append(row)
    return found


async def count_messages(reads: Reads, session_id: UUID) -> int:
    return await fetch_count(MESSAGES_TOTAL, reads, session_id=session_id)


async def messages_until(
    reads: Reads, session_id: UUID, last_seq: int, limit: int
) -> Sequence[Message]:
    """The `limit` messages up to and including `last_seq`, oldest first."""
    rows = await MESSAGES_UNTIL.fetch(reads, session_id=session_id, last_seq=last_seq, limit=limit)
    return rows[::-1]


async def session_by_key(reads: Reads, agent_id: UUID, user_id: str, key: str) -> Session | None:
    return await BY_KEY.fetch_one(reads, agent_id=agent_id, session_user=user_id, key=key)


async def sessions_lately(
    reads: Reads, agent_id: UUID, since: datetime | None, limit: int
) -> Sequence[Session]:
    """Those with one agent, last used first."""
    return await LATELY.fetch(reads, agent_id=agent_id, since=since, limit=limit)


async def sessions_with_label(
    reads: Reads, agent_id: UUID, label: str, limit: int
) -> Sequence[Session]:
    return await WITH_LABEL.fetch(reads, agent_id=agent_id, label=label, limit=limit)


async def answer_of(reads: Reads, run_id: UUID) -> Message | None:
    """What the model said last in a run, also if it was cut off."""
    return await SAID_LAST.fetch_one(reads, run_id=run_id, role="assistant")


async def steps_of(reads: Reads, run_id: UUID, begun: datetime) -> Sequence[Message]:
    """What a run wrote after it had begun, in order: what the model said and wanted done, what
    came of it, what the user said meanwhile.
    """
    return await STEPS.fetch(reads, run_id=run_id, begun=begun)


async def question_of(reads: Reads, run_id: UUID) -> Message | None:
    """What the user said last in a run."""
    return await SAID_LAST.fetch_one(reads, run_id=run_id, role="user")


async def messages_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, Message]:
    return {row.id: row for row in await MESSAGES_BY_ID.fetch(reads, ids=list(ids))}


async def session_to_change(db: Db, id: UUID) -> Session | None:
    """The row, locked until the block ends."""
    return (
        await db.exec(db.visible(Session).where(col(Session.id) == id).with_for_update())
    ).one_or_none()


async def rename_session(db: Db, session: Session, label: str) -> Session:
    session.label = label
    session.updated_at = now()
    await db.flush()
    return session


async def is_busy(db: Db, session: Session) -> bool:
    """Whether a run holds the session."""
    until = session.lease_until
    return until is not None and until > (await db.exec(select_one(func.now()))).one()


async def remove_session(db: Db, session: Session) -> None:
    """Its messages go with it; runs and traces stay for the accounts."""
    await db.delete(session)
    await db.flush()
