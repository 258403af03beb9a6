"""From rows to what leaves: one generated function for each view.

A row is an asyncpg record, a table object or a view itself; only the fields of the view are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, get_origin
from uuid import UUID

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True, slots=True)
class From:
    """On a field of a view: which attribute of the row it comes from, and through what."""

    name: str
    convert: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """`one` takes a row, `many` takes rows of one kind."""

    one: Callable[[Any], dict[str, Any]]
    many: Callable[[Sequence[Any]], list[dict[str, Any]]]


@cache
def writer(view: type[BaseModel]) -> Writer:
    fields = visible_fields(view)
    scope = {f"convert_{name}": _source(name, info).convert for name, info in fields.items()}
    of_record = _display(fields, "row[{name!r}]")
    of_object = _display(fields, "row.{name}")
    one_record, one_object = (_compiled(f"lambda row: {d}", scope) for d in (of_record, of_object))
    many_records, many_objects = (
        _compiled(f"lambda rows: [{d} for row in rows]", scope) for d in (of_record, of_object)
    )

    def one(row: Any) -> dict[str, Any]:
        written: dict[str, Any] = (one_record if hasattr(row, "keys") else one_object)(row)
        return written

    def many(rows: Sequence[Any]) -> list[dict[str, Any]]:
        if not rows:
            return []
        written: list[dict[str, Any]]
        written = (many_records if hasattr(rows[0], "keys") else many_objects)(rows)
        return written

    return Writer(one, many)


def visible_fields(view: type[BaseModel]) -> dict[str, FieldInfo]:
    """All but those the view names in `HIDDEN`."""
    hidden: frozenset[str] = getattr(view, "HIDDEN", frozenset())
    return {name: info for name, info in view.model_fields.items() if name not in hidden}


def _source(name: str, info: FieldInfo) -> From:
    return next((item for item in info.metadata if isinstance(item, From)), From(name))


def _display(fields: dict[str, FieldInfo], access: str) -> str:
    """The source of a dict display."""
    return "{" + ", ".join(f"{n!r}: {_value(n, i, access)}" for n, i in fields.items()) + "}"


def _value(name: str, info: FieldInfo, access: str) -> str:
    if get_origin(info.annotation) is Literal and not info.is_required():
        return repr(info.default)
    source = _source(name, info)
    value = access.format(name=source.name)
    return value if source.convert is None else f"convert_{name}({value})"


def _compiled(source: str, scope: dict[str, Any]) -> Callable[[Any], Any]:
    """The source is made of field names of our own views alone."""
    function: Callable[[Any], Any] = eval(source, scope)  # noqa: S307
    return function


def dumps(value: object) -> bytes:
    return orjson.dumps(value, default, OPTIONS)


def default(value: object) -> object:
    """What orjson does not know: the driver's own UUID class, money, views inside views."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, BaseModel):
        return writer(type(value)).one(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")


def unix_time(at: datetime) -> int:
    return int(at.timestamp())


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
