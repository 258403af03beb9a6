from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, or_, select
from sqlmodel import col

from goclaw.core.paging import Page, PageRequest
from goclaw.models.api_keys import ApiKey
from goclaw.models.shapes import now
from goclaw.store.database import Database, Db, Reads, fetch
from goclaw.store.pages import Total, among_ids, count_of, fetch_count, fetch_page, newest_first
from goclaw.store.query import Query, Visible


class ValidKey:
    """What a credential stands for."""

    id: UUID
    scopes: Sequence[str]
    user_id: str | None


def _valid(_: Visible) -> Select[Any]:
    columns: list[Any] = [col(ApiKey.id), col(ApiKey.scopes), col(ApiKey.user_id)]
    return select(*columns).where(
        col(ApiKey.key_hash) == bindparam("key_hash"),
        ~col(ApiKey.revoked),
        or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > func.now()),
    )


VALID = Query[ValidKey](_valid)
BY_ID = Query[ApiKey](lambda visible: select(ApiKey).where(visible(ApiKey), among_ids(ApiKey.id)))
PAGE = Query[ApiKey](
    lambda visible: newest_first(select(ApiKey).where(visible(ApiKey)), col(ApiKey.id))
)
TOTAL = Query[Total](lambda visible: count_of(ApiKey, visible(ApiKey)))
TOUCH = """
    update api_keys set last_used_at = used.at
    from unnest($1::uuid[], $2::timestamptz[]) as used (id, at)
    where api_keys.id = used.id
"""


async def valid_key(reads: Reads, key_hash: str) -> ValidKey | None:
    """None for a key that is unknown, revoked or expired by the database's clock."""
    return await VALID.fetch_one(reads, key_hash=key_hash)


async def keys_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, ApiKey]:
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def keys_page(reads: Reads, request: PageRequest) -> Page[ApiKey]:
    return await fetch_page(PAGE, reads, request)


async def count_keys(reads: Reads) -> int:
    return await fetch_count(TOTAL, reads)


async def add_key(db: Db, key: ApiKey) -> ApiKey:
    db.add(key)
    await db.flush()
    return key


async def key_to_change(db: Db, id: UUID) -> ApiKey | None:
    """The row, locked until the block ends."""
    return (
        await db.exec(db.visible(ApiKey).where(col(ApiKey.id) == id).with_for_update())
    ).one_or_none()


async def keys_bound_to(db: Db, user_id: str) -> Sequence[ApiKey]:
    """Those that still work, locked until the block ends."""
    bound = db.visible(ApiKey).where(col(ApiKey.user_id) == user_id, ~col(ApiKey.revoked))
    return (await db.exec(bound.order_by(col(ApiKey.id)).with_for_update())).all()


async def revoke_key(db: Db, key: ApiKey) -> ApiKey:
    key.revoked = True
    key.updated_at = now()
    await db.flush()
    return key


async def touch_keys(database: Database, used: Mapping[UUID, datetime]) -> None:
    """Writes when each key was last used."""
    await fetch(database.pool, TOUCH, (list(used), list(used.values())))
