from uuid import UUID

from sqlmodel import col, select

from goclaw.models.run_stops import RunStop
from goclaw.models.shapes import now
from goclaw.store.database import Db, Reads
from goclaw.store.query import Query

IN_FORCE = Query[RunStop](
    lambda _: (
        select(RunStop).where(col(RunStop.resumed_at).is_(None)).order_by(col(RunStop.id)).limit(1)
    )
)


async def current_stop(reads: Reads) -> RunStop | None:
    """The one in force, for whoever asks."""
    return await IN_FORCE.fetch_one(reads)


async def stop_in_force(db: Db) -> RunStop | None:
    """The row, locked until the block ends."""
    statement = select(RunStop).where(col(RunStop.resumed_at).is_(None)).with_for_update()
    return (await db.exec(statement.order_by(col(RunStop.id)).limit(1))).one_or_none()


async def stop_by_id(db: Db, id: UUID) -> RunStop | None:
    """The row, locked until the block ends."""
    statement = select(RunStop).where(col(RunStop.id) == id).with_for_update()
    return (await db.exec(statement)).one_or_none()


async def add_stop(db: Db, stop: RunStop) -> RunStop:
    db.add(stop)
    await db.flush()
    return stop


async def end_stop(db: Db, stop: RunStop, by: str) -> RunStop:
    stop.resumed_by, stop.resumed_at = by, now()
    await db.flush()
    return stop
