"""Keyset pages: newest first, on ids that sort by time."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from goclaw.core.errors import InvalidInput
from goclaw.core.reasons import Reason

MAX_PAGE = 100
LAST_ID = UUID(int=2**128 - 1)
"""Sorts after every id: where a first page starts."""


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=HasId)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `limit` rows with ids below `before`, the first `offset` of them left out."""

    limit: int = 50
    before: UUID = LAST_ID
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`has_next` says that more rows follow the last one."""

    rows: Sequence[T]
    has_next: bool


def page_of(rows: Sequence[T], request: PageRequest) -> Page[T]:
    """`rows` were read with one more than `request.limit`, to see whether more follow."""
    return Page(rows[: request.limit], len(rows) > request.limit)


def cursor_of(id: UUID) -> str:
    return urlsafe_b64encode(id.bytes).rstrip(b"=").decode()


def id_of(cursor: str, field: str) -> UUID:
    """Raises InvalidInput for text that `cursor_of` did not make."""
    try:
        return UUID(bytes=urlsafe_b64decode(cursor + "=="))
    except (ValueError, UnicodeEncodeError) as error:
        raise InvalidInput("invalid_cursor", field=field) from error


def page_request(first: int, after: str | None) -> PageRequest:
    """What `first` and `after` of a connection ask for; raises InvalidInput when out of range."""
    if not 0 < first <= MAX_PAGE:
        raise InvalidInput(
            "invalid_input", field="first", reason=Reason("between", low=1, high=MAX_PAGE)
        )
    return PageRequest(first, LAST_ID if after is None else id_of(after, "after"))
