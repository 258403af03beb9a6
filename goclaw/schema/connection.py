"""Lists as cursor connections."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

import strawberry

from goclaw.core.paging import HasId, Page, cursor_of
from goclaw.schema.field import argument, described, field

T = TypeVar("T")

DEFAULT_FIRST: Final = 50
DEFAULT_MESSAGES: Final = 100

First = Annotated[int, argument("How many, 1 to 100.")]
After = Annotated[str | None, argument("The `endCursor` of the page before this one.")]
Before = Annotated[str | None, argument("The `endCursor` of the page after this one.")]


@strawberry.type(description="Where a page ends.")
class PageInfo:
    has_next_page: bool = described("Whether more follows this page.")
    end_cursor: str | None = described("Give it to the next page; null on an empty page.")


@strawberry.type(description="One row of a list and its place in it.")
class Edge(Generic[T]):
    cursor: str = described("The place of the row.")
    node: T = described("The row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    nodes: list[T] = described("The rows.")
    edges: list[Edge[T]] = described("The rows with their cursors.")
    page_info: PageInfo = described("Where the page ends.")

    @field(int, "How many rows there are on all pages; counted only when it is asked for.")
    async def total_count(self: Any) -> int:
        return await self.count()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class PlacedRow:
    cursor: str
    node: HasId


@dataclass(frozen=True, slots=True)
class PageEnd:
    has_next_page: bool
    end_cursor: str | None


class Listed:
    """The row behind a Connection."""

    __slots__ = ("_has_next", "_last", "count", "nodes")

    def __init__(
        self,
        nodes: Sequence[HasId],
        count: Callable[[], Awaitable[int]],
        *,
        has_next: bool,
        last: HasId | None,
    ) -> None:
        self.nodes = nodes
        self.count = count
        self._has_next = has_next
        self._last = last

    @property
    def edges(self) -> list[PlacedRow]:
        return [PlacedRow(cursor_of(row.id), row) for row in self.nodes]

    @property
    def page_info(self) -> PageEnd:
        last = self._last
        return PageEnd(self._has_next, None if last is None else cursor_of(last.id))


def listed(page: Page[Any], count: Callable[[], Awaitable[int]]) -> Listed:
    """Newest first, as pages come."""
    rows = page.rows
    return Listed(rows, count, has_next=page.has_next, last=rows[-1] if rows else None)


def listed_oldest_first(page: Page[Any], count: Callable[[], Awaitable[int]]) -> Listed:
    """A page that reads downwards and goes on upwards: its end is its oldest row."""
    rows = page.rows[::-1]
    return Listed(rows, count, has_next=page.has_next, last=rows[0] if rows else None)
