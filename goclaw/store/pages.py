"""What the page queries of all tables have in common."""

from typing import Any, Final, TypeVar

from sqlalchemy import ARRAY, DateTime, Select, Uuid, any_, bindparam, func, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel, col

from goclaw.core.paging import HasId, Page, PageRequest, page_of
from goclaw.store.database import Reads
from goclaw.store.query import Query

T = TypeVar("T", bound=HasId)

INSTANT: Final = DateTime(timezone=True)


def among_ids(column: Any) -> ColumnElement[bool]:
    """`column` is one of the ids given as `ids`."""
    return col(column) == any_(bindparam("ids", type_=ARRAY(Uuid)))


def equals_if_given(column: Any, name: str) -> ColumnElement[bool]:
    """True for every row when the parameter `name` is None."""
    given = bindparam(name, type_=column.type)
    return or_(given.is_(None), column == given)


def between(at: Any) -> ColumnElement[bool]:
    """From the parameter `since` on and before `until`; None leaves that side open."""
    since, until = bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT)
    return or_(since.is_(None), at >= since) & or_(until.is_(None), at < until)


def newest_first(statement: Select[Any], id: Any) -> Select[Any]:
    """The page asked for by `before`, `offset` and `limit`; read by `fetch_page`."""
    return (
        statement.where(id < bindparam("before", type_=Uuid))
        .order_by(id.desc())
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )


def count_of(table: type[SQLModel], *conditions: Any) -> Select[Any]:
    return select(func.count().label("total")).select_from(table).where(*conditions)


async def fetch_page(query: Query[T], on: Reads, request: PageRequest, **given: object) -> Page[T]:
    rows = await query.fetch(
        on, before=request.before, offset=request.offset, limit=request.limit + 1, **given
    )
    return page_of(rows, request)


class Total:
    """The row of a count."""

    total: int


async def fetch_count(query: Query[Total], on: Reads, **given: object) -> int:
    return (await query.fetch(on, **given))[0].total
