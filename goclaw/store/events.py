"""The event log. Transaction ids order it, since ids commit out of order: readers go by
(xid, id) and stop below the oldest transaction that is still open.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import time
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import orjson

from goclaw.core.ids import uuid7
from goclaw.models.events import Audience
from goclaw.store.database import fetch
from goclaw.store.pool import Pool, Row

Position: TypeAlias = tuple[int, UUID]
Values: TypeAlias = tuple[UUID, str, str, str | None, UUID | None, str, str]

COLUMNS: Final = "id, topic, kind, user_id, agent_id, audience, payload"
TYPES: Final = ("uuid", "text", "text", "text", "uuid", "text", "text::jsonb")
PARAMETERS: Final = len(TYPES)
XMIN: Final = "(select pg_snapshot_xmin(pg_current_snapshot()))"
READ: Final = f"""xid, id, at, topic, kind, user_id, agent_id, audience,
    case when xid < {XMIN} then payload::text end as payload"""
READ_ALL: Final = f"""
select {READ} from events where (xid, id) > ($1::xid8, $2::uuid) order by xid, id limit $3"""
READ_TOPICS: Final = f"""
select found.* from unnest($4::text[]) as wanted(topic) cross join lateral (
    select {READ} from events
    where events.topic = wanted.topic and (xid, id) > ($1::xid8, $2::uuid)
    order by xid, id limit $3) as found
order by xid, id limit $3"""
HEAD: Final = "select pg_snapshot_xmin(pg_current_snapshot()) as xmin"
STANDING: Final = f"""
select $1::xid8 < {XMIN} as known,
    exists (select from events where (xid, id) <= ($1::xid8, $2::uuid)) as kept"""
TRIM: Final = """
with edge as (select xid, id from events where id < $1::uuid order by id desc limit 1)
delete from events where ctid = any (array(
    select events.ctid from events, edge
    where (events.xid, events.id) < (edge.xid, edge.id)
    order by events.xid, events.id limit $2))
returning 1"""
DROP_FOREIGN: Final = """
delete from events where xid >= pg_snapshot_xmax(pg_current_snapshot()) returning 1"""


class LogRow(NamedTuple):
    """`payload` is JSON text."""

    xid: int
    id: UUID
    at: datetime
    topic: str
    kind: str
    user_id: str | None
    agent_id: UUID | None
    audience: str
    payload: str


class LogPage(NamedTuple):
    """`full`: more may follow at once. `held`: committed rows wait for an older transaction."""

    rows: Sequence[LogRow]
    full: bool
    held: bool


class Standing(NamedTuple):
    """`known`: this database can have given the position out. `kept`: a row at or before it
    is still there, so nothing after it has been trimmed.
    """

    known: bool
    kept: bool


def event_values(
    topic: str,
    kind: str,
    audience: Audience,
    payload: dict[str, Any],
    *,
    user_id: str | None = None,
    agent_id: UUID | None = None,
) -> Values:
    """The arguments of one event, in the order of `insert_event`'s parameters."""
    text = orjson.dumps(payload).decode()
    return uuid7(), topic, kind, user_id, agent_id, audience.value, text


def insert_event(first: int = 1) -> str:
    """An INSERT whose parameters are $first to $first+6, for a CTE of the writer's statement."""
    values = ", ".join(f"${first + at}::{type}" for at, type in enumerate(TYPES))
    return f"insert into events ({COLUMNS}) values ({values})"


async def append_events(connection: "asyncpg.Connection[Row]", events: Sequence[Values]) -> None:
    """Inside the writer's transaction; one round trip however many there are."""
    arrays = ", ".join(f"${at}::{type.split(':')[0]}[]" for at, type in enumerate(TYPES, 1))
    await connection.execute(
        f"insert into events ({COLUMNS}) select {COLUMNS}::jsonb "
        f"from unnest({arrays}) as new({COLUMNS})",
        *zip(*events, strict=True),
    )


async def read_after(
    pool: Pool, after: Position, limit: int, topics: Sequence[str] | None = None
) -> LogPage:
    """Raises Unavailable when the database is away."""
    if topics is None:
        records = await fetch(pool, READ_ALL, (*after, limit))
    else:
        records = await fetch(pool, READ_TOPICS, (*after, limit, topics))
    settled = [LogRow._make(record) for record in records if record["payload"] is not None]
    held = len(settled) < len(records)
    return LogPage(settled, full=len(records) == limit and not held, held=held)


async def head(pool: Pool) -> Position:
    """Everything that commits from now on comes after it. Its id carries the time."""
    (row,) = await fetch(pool, HEAD, ())
    return int(row["xmin"]) - 1, uuid7()


async def standing(pool: Pool, position: Position) -> Standing:
    (row,) = await fetch(pool, STANDING, position)
    return Standing(row["known"], row["kept"])


async def trim_events(pool: Pool, keep: timedelta, limit: int = 5000) -> int:
    """Deletes at most `limit` rows older than `keep`, oldest first, and says how many.

    The newest of the old rows stays: it is what `standing` tells a trimmed log by.
    """
    edge = UUID(int=int((time() - keep.total_seconds()) * 1000) << 80)
    return len(await fetch(pool, TRIM, (edge, limit)))


async def drop_foreign_events(pool: Pool) -> int:
    """To be called at start: a log restored from another cluster carries that cluster's
    transaction ids, and rows from the future of this one would never be delivered.
    """
    return len(await fetch(pool, DROP_FOREIGN, ()))


class PostgresLog:
    """What the event hub reads from."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read_after(
        self, after: Position, limit: int, topics: Sequence[str] | None = None
    ) -> LogPage:
        return await read_after(self._pool, after, limit, topics)

    async def head(self) -> Position:
        return await head(self._pool)

    async def standing(self, position: Position) -> Standing:
        return await standing(self._pool, position)
