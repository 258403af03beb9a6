from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Date, Double, Select, String, bindparam, case, cast, func, or_, select
from sqlmodel import col

from goclaw.core.paging import Page, PageRequest
from goclaw.models.api_keys import ApiKey
from goclaw.models.shapes import now
from goclaw.store.database import Database, Db, Reads, fetch
from goclaw.store.pages import Total, among_ids, count_of, fetch_count, fetch_page, newest_first
from goclaw.store.query import Query, Visible


@dataclass(frozen=True, slots=True)
class ValidKey:
    """What a credential stands for, and for how many seconds yet; None is for ever."""

    id: UUID
    scopes: Sequence[str]
    user_id: str | None
    agent_ids: Sequence[UUID] | None
    rate_limit_per_minute: int | None
    budget_monthly_cents: int | None
    tokens_per_day: int | None
    lasts_s: float | None


VALID_COLUMNS: Final = tuple(ValidKey.__dataclass_fields__)


def _valid(_: Visible) -> Select[Any]:
    """After a rotation the secret before is good until its own end; `least` skips nulls."""
    given = bindparam("key_hash", type_=String)
    is_previous = col(ApiKey.previous_hash) == given
    until = func.least(col(ApiKey.expires_at), case((is_previous, col(ApiKey.previous_until))))
    lasts = cast(func.extract("epoch", until - func.now()), Double).label("lasts_s")
    columns: list[Any] = [col(getattr(ApiKey, name)) for name in VALID_COLUMNS[:-1]]
    return select(*columns, lasts).where(
        or_(col(ApiKey.key_hash) == given, is_previous),
        ~col(ApiKey.revoked),
        or_(until.is_(None), until > func.now()),
    )


VALID = Query[ValidKey](_valid)
TODAY: Final = cast(func.timezone("UTC", func.now()), Date)
CALLS_TODAY: Final = case((col(ApiKey.calls_on) == TODAY, col(ApiKey.calls)), else_=0)
ROWS: Final = select(ApiKey, CALLS_TODAY.label("calls_today"))
BY_ID = Query[ApiKey](lambda visible: ROWS.where(visible(ApiKey), among_ids(ApiKey.id)))
PAGE = Query[ApiKey](lambda visible: newest_first(ROWS.where(visible(ApiKey)), col(ApiKey.id)))
TOTAL = Query[Total](lambda visible: count_of(ApiKey, visible(ApiKey)))
TOUCH: Final = """
with used as (
    select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[])
    as used (id, at, address, calls)),
locked as (  -- in one order, as other workers write the same rows
    select id, last_used_at from api_keys where id = any ($1) order by id for no key update)
update api_keys set
    last_used_at = greatest(locked.last_used_at, used.at),
    last_used_address = case
        when locked.last_used_at > used.at then last_used_address else used.address end,
    calls = case
        when calls_on = (used.at at time zone 'UTC')::date then api_keys.calls + used.calls
        when calls_on > (used.at at time zone 'UTC')::date then api_keys.calls
        else used.calls end,
    calls_on = greatest(calls_on, (used.at at time zone 'UTC')::date)
from used join locked using (id)
where api_keys.id = used.id"""


async def valid_key(reads: Reads, key_hash: str) -> ValidKey | None:
    """None for a key that is unknown, revoked or expired by the database's clock."""
    row: Any = await VALID.fetch_one(reads, key_hash=key_hash)
    return None if row is None else ValidKey(*[row[name] for name in VALID_COLUMNS])


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


async def rotate_key(
    db: Db, key: ApiKey, *, key_hash: str, prefix: str, grace: timedelta
) -> ApiKey:
    """The secret before is good until the grace is over; the one before that no more."""
    at = now()
    key.previous_hash = key.key_hash if grace else None
    key.previous_until = at + grace if grace else None
    key.key_hash, key.prefix, key.updated_at = key_hash, prefix, at
    await db.flush()
    return key


class Use(NamedTuple):
    """The last call with a key, and how many there were."""

    at: datetime
    address: str | None
    calls: int


async def touch_keys(database: Database, used: Mapping[UUID, Use]) -> None:
    """Adds to what is known of the use of each key."""
    columns = [list(column) for column in zip(*used.values(), strict=True)]
    await fetch(database.pool, TOUCH, (list(used), *columns))
