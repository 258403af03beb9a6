from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from goclaw.core.callers import system_caller
from goclaw.core.paging import Page, PageRequest
from goclaw.models.activity import Activity
from goclaw.store.database import Database, Reads
from goclaw.store.pages import (
    Total,
    between,
    count_of,
    equals_if_given,
    fetch_count,
    fetch_page,
    newest_first,
)
from goclaw.store.query import Query

FILTERS = ("actor_type", "actor_id", "action", "entity_type", "entity_id")
MATCHES = (
    *(equals_if_given(col(getattr(Activity, name)), name) for name in FILTERS),
    between(col(Activity.created_at)),
)

PAGE = Query[Activity](
    lambda visible: newest_first(
        select(Activity).where(visible(Activity), *MATCHES), col(Activity.id)
    )
)
TOTAL = Query[Total](lambda visible: count_of(Activity, visible(Activity), *MATCHES))


async def activity_page(
    reads: Reads, request: PageRequest, **filters: str | datetime | None
) -> Page[Activity]:
    """`filters` are the names in `FILTERS`, `since` and `until`; None leaves one out."""
    return await fetch_page(PAGE, reads, request, **filters)


async def add_activity(database: Database, rows: Collection[Activity]) -> None:
    """What the server itself noticed, with no change of a row beside it."""
    async with database.begin(system_caller()) as db:
        db.add_all(rows)


async def count_activity(reads: Reads, **filters: str | datetime | None) -> int:
    return await fetch_count(TOTAL, reads, **filters)


async def add_activity_once(database: Database, rows: Sequence[Activity]) -> None:
    """Rows whose id is there already are left out; in one order, as others may add the same."""
    values = [row.model_dump() for row in sorted(rows, key=lambda row: row.id)]
    async with database.begin(system_caller()) as db:
        await db.exec(insert(Activity).values(values).on_conflict_do_nothing())
