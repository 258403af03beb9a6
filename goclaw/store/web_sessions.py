from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlmodel import col
from sqlmodel import select as select_one

from goclaw.core.paging import Page, PageRequest
from goclaw.models.web_sessions import WebSession
from goclaw.store.database import Database, Db, Reads, fetch
from goclaw.store.pages import (
    Total,
    count_of,
    equals_if_given,
    fetch_count,
    fetch_page,
    newest_first,
)
from goclaw.store.query import Query

OF_USER = equals_if_given(col(WebSession.user_id), "user_id")

PAGE = Query[WebSession](
    lambda visible: newest_first(
        select(WebSession).where(visible(WebSession), OF_USER), col(WebSession.id)
    )
)
TOTAL = Query[Total](lambda visible: count_of(WebSession, visible(WebSession), OF_USER))

# Asked before anybody is known, so it carries no caller: the secret is what it is found by.
LIVE: Final = """
    with live as (
        select session.id, session.user_id, session.token_proof, session.last_seen_at, key.key_hash
        from web_sessions session left join api_keys key on key.id = session.key_id
        where session.secret_hash = $1 and session.expires_at > now()
            and session.last_seen_at > now() - $2::interval
    ), seen as (
        update web_sessions set last_seen_at = now(), address = $3
        where $4 and id in (select id from live where last_seen_at < now() - interval '1 minute')
    )
    select id, user_id, token_proof, key_hash from live
"""
SWEEP: Final = (
    "delete from web_sessions where expires_at < now() or last_seen_at < now() - $1::interval"
)


class LiveSession:
    """`key_hash` is of the API key it belongs to, None for the gateway token."""

    id: UUID
    user_id: str | None
    token_proof: str | None
    key_hash: str | None


async def live_session(
    database: Database, secret_hash: str, idle: timedelta, address: str | None, *, seen: bool
) -> LiveSession | None:
    """None for one that is unknown or over. `seen` notes that it was used."""
    rows = await fetch(database.pool, LIVE, (secret_hash, idle, address, seen))
    return rows[0] if rows else None


async def web_sessions_page(
    reads: Reads, request: PageRequest, user_id: str | None
) -> Page[WebSession]:
    """Of one user, or of all whom the caller may see."""
    return await fetch_page(PAGE, reads, request, user_id=user_id)


async def count_web_sessions(reads: Reads, user_id: str | None) -> int:
    return await fetch_count(TOTAL, reads, user_id=user_id)


async def add_web_session(db: Db, session: WebSession, at_most: int) -> None:
    """Ends the least recently used of the same credential beyond `at_most`."""
    lock = select_one(func.pg_advisory_xact_lock(func.hashtext(str(session.key_id))))
    of_credential = col(WebSession.key_id).is_not_distinct_from(session.key_id)
    oldest = (
        select(col(WebSession.id))
        .where(of_credential)
        .order_by(col(WebSession.last_seen_at).desc())
        .offset(at_most - 1)
    )
    await db.exec(lock)
    await db.exec(delete(WebSession).where(col(WebSession.id).in_(oldest)))
    db.add(session)
    await db.flush()


async def shorten_web_sessions(db: Db, key_id: UUID, lasts: timedelta) -> None:
    """Those of the key end in that time, unless they would end before."""
    ends = func.least(col(WebSession.expires_at), func.now() + lasts)
    of_key = update(WebSession).where(col(WebSession.key_id) == key_id)
    await db.exec(of_key.values(expires_at=ends))


async def web_session_to_end(db: Db, id: UUID) -> WebSession | None:
    """The row, locked until the block ends."""
    return (
        await db.exec(db.visible(WebSession).where(col(WebSession.id) == id).with_for_update())
    ).one_or_none()


async def web_sessions_of(db: Db, user_id: str | None) -> Sequence[WebSession]:
    """Those signed in as the user, or as nobody; newest first and locked until the block ends."""
    of_user = col(WebSession.user_id).is_not_distinct_from(user_id)
    newest = db.visible(WebSession).where(of_user).order_by(col(WebSession.id).desc())
    return (await db.exec(newest.with_for_update())).all()


async def own_web_session(db: Db, id: UUID) -> WebSession | None:
    """The one a call came by, which its caller holds whether or not others may see it."""
    return (await db.exec(select_one(WebSession).where(col(WebSession.id) == id))).one_or_none()


async def remove_web_session(db: Db, id: UUID) -> None:
    await db.exec(delete(WebSession).where(col(WebSession.id) == id))


async def sweep_web_sessions(database: Database, idle: timedelta) -> None:
    """Throws away those that are over."""
    await fetch(database.pool, SWEEP, (idle,))
