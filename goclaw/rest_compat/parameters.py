"""Parameters of paths, queries and headers, read off the signature of an operation."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from inspect import Parameter as Argument
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

from goclaw.core.errors import InvalidInput
from goclaw.core.paging import LAST_ID, PageRequest, id_of
from goclaw.core.reasons import Reason, reason_of
from goclaw.models.shapes import SLUG
from goclaw.resolvers.refs import Ref

MAX_LIMIT: Final = 200
MAX_OFFSET: Final = 10_000
ALL_ROWS: Final = 10_000
NO_NUL: Final = r"^[^\u0000]*$"

INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
Place = Literal["path", "query", "header"]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`target` is the argument of the operation, `name` what the caller writes."""

    name: str
    target: str
    place: Place
    convert: Callable[[str], Any]
    schema: Schema
    required: bool = False
    description: str = ""

    def read(self, text: str) -> Any:
        """Raises InvalidInput."""
        try:
            return self.convert(text)
        except ValueError as error:
            if self.convert is UUID:
                raise InvalidInput("invalid_id", field=self.name) from None
            raise InvalidInput("invalid_input", field=self.name, reason=reason_of(error)) from None


def parameter(argument: Argument, name: str, place: Place) -> Parameter:
    """Raises TypeError for a type that has no reading; told when the server starts."""
    convert, schema = reading(argument.annotation)
    required = place == "path" or argument.default is Argument.empty
    if argument.default not in (Argument.empty, None):
        schema = {**schema, "default": argument.default}
    return Parameter(name, argument.name, place, convert, schema, required)


def reading(annotation: Any) -> tuple[Callable[[str], Any], Schema]:
    """How text becomes a value of a type, and what a JSON schema says of such text."""
    if annotation == Ref:
        return read_text, {"type": "string", "description": "Id or slug.", **slug_or_id()}
    annotation = without_none(annotation)
    if annotation is UUID:
        return UUID, {"type": "string", "format": "uuid"}
    if annotation is int:
        return read_integer, {"type": "integer"}
    if annotation is bool:
        return read_boolean, {"type": "boolean"}
    if annotation is datetime:
        return read_instant, {"type": "string", "format": "date-time"}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        values = [member.value for member in annotation]
        return partial(read_member, annotation), {"type": "string", "enum": values}
    if annotation is str:
        return read_text, {"type": "string", "pattern": NO_NUL}
    raise TypeError(f"no parameter can be of type {annotation}")


def slug_or_id() -> Schema:
    return {"pattern": rf"^{SLUG.pattern}$", "maxLength": 100}


def without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        rest = [item for item in get_args(annotation) if item is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def read_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError(Reason("nul"))
    return text


def read_integer(text: str) -> int:
    if INTEGER.fullmatch(text) is None:
        raise ValueError(Reason("whole_number"))
    return int(text)


def read_boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(Reason("true_or_false"))
    return text == "true"


def read_instant(text: str) -> datetime:
    if INSTANT.fullmatch(text) is None:
        raise ValueError(Reason("instant", example="2026-01-31T12:00:00Z"))
    return datetime.fromisoformat(text.upper())


def read_member(kind: type[Enum], text: str) -> Enum:
    try:
        return kind(text)
    except ValueError:
        values = ", ".join(str(item.value) for item in kind)
        raise ValueError(Reason("one_of", values=values)) from None


def query_of(query_string: bytes) -> dict[str, str]:
    """Raises InvalidInput for a name given twice."""
    if not query_string:
        return {}
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput("invalid_input", field=twice[:100], reason=Reason("given_twice"))
    return values


def page_parameters(default_limit: int | None) -> tuple[Parameter, ...]:
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
    if default_limit is not None:
        limit["default"] = default_limit
    offset = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}
    # A cursor is 16 bytes in base64: the last character holds only two bits.
    cursor = {"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"}
    everything = "" if default_limit else " All rows when left out."
    return (
        Parameter("limit", "limit", "query", partial(read_between, 1, MAX_LIMIT), limit,
                  description=f"Rows of a page.{everything}"),
        Parameter("offset", "offset", "query", partial(read_between, 0, MAX_OFFSET), offset,
                  description="Rows to leave out."),
        Parameter("cursor", "cursor", "query", read_cursor, cursor,
                  description="The `next_cursor` of the page before."),
    )  # fmt: skip


def read_between(low: int, high: int, text: str) -> int:
    number = read_integer(text)
    if not low <= number <= high:
        raise ValueError(Reason("between", low=low, high=high))
    return number


def read_cursor(text: str) -> UUID:
    return id_of(text, "cursor")


def page_of_query(given: Mapping[str, Any], default_limit: int | None) -> PageRequest:
    return PageRequest(
        given.get("limit", default_limit or ALL_ROWS),
        given.get("cursor", LAST_ID),
        given.get("offset", 0),
    )
