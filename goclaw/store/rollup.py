"""Counting what ended runs used by the hour: each hour in one transaction, and as often as
somebody likes.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import DateTime, bindparam, cast, delete, func, insert, text
from sqlalchemy.dialects import postgresql
from sqlmodel import col, select

from goclaw.core.callers import system_caller
from goclaw.models.runs import Run
from goclaw.models.usage import UsageCounted, UsageHour
from goclaw.store.database import Database, Db
from goclaw.store.run_usage import FIGURES, run_usage, summed

HOUR: Final = timedelta(hours=1)
LATE: Final = timedelta(days=1)
"""Hours of so long ago are not counted again: their runs may be deleted."""

ALONE: Final = text("lock table usage_hours in share row exclusive mode")
"""Whoever renames a user in the rows waits, and then sees those that were added meanwhile."""

NOTED: Final = postgresql.insert(UsageCounted).values(id=1).on_conflict_do_nothing()
"""Whoever lost the row has all counted again."""

BEGIN: Final = bindparam("begin", type_=DateTime(timezone=True))
END: Final = bindparam("end", type_=DateTime(timezone=True))
KEYS: Final = ("agent_id", "user_id", "provider_name", "model", "channel")

USED = run_usage(col(Run.ended_at) >= BEGIN, col(Run.ended_at) < END)
COUNT: Final = insert(UsageHour).from_select(
    ["hour", *KEYS, *FIGURES],
    sa.select(
        cast(BEGIN, DateTime(timezone=True)).label("hour"),
        *(USED.c[name] for name in KEYS),
        *(summed(USED.c[name], name) for name in FIGURES),
    ).group_by(*(USED.c[name] for name in KEYS)),
)


async def begin_again(database: Database, now: datetime) -> datetime | None:
    """The hour to begin at: the last one that was counted once more, for what came late. None
    when none was, or nobody knows any more.
    """
    async with database.begin(system_caller()) as db:
        await db.exec(NOTED)
        counted = (await db.exec(select(UsageCounted))).one().until
    if counted is None or counted < now - LATE:
        return counted
    return counted - HOUR


async def count_next_hour(
    database: Database, since: datetime | None, until: datetime
) -> datetime | None:
    """Counts the first hour from `since` on, and before `until`, in which a run ended, as if it
    had never been counted. Tells where the next one begins, or None when none is left: then all
    before `until` is counted. Both are full hours.
    """
    async with database.begin(system_caller()) as db:
        statement = select(UsageCounted).with_for_update()
        counted = (await db.exec(statement)).one()
        hour = await _next_hour(db, since, until)
        following = until if hour is None else hour + HOUR
        if hour is not None:
            await _count(db, hour)
        if counted.until is None or counted.until < following:
            counted.until = following
    return None if hour is None else following


async def _next_hour(db: Db, since: datetime | None, until: datetime) -> datetime | None:
    first = select(func.date_trunc("hour", func.min(col(Run.ended_at)), "UTC")).where(
        col(Run.ended_at) < until
    )
    if since is not None:
        first = first.where(col(Run.ended_at) >= since)
    hour: datetime | None = (await db.exec(first)).one()
    return hour


async def _count(db: Db, hour: datetime) -> None:
    connection = await db.connection()
    await connection.execute(ALONE)
    await connection.execute(delete(UsageHour).where(col(UsageHour.hour) == hour))
    await connection.execute(COUNT, {"begin": hour, "end": hour + HOUR})
