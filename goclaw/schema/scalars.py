"""The scalars of the schema: how they are written and what is accepted."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NewType
from uuid import UUID

from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition, scalar

JSON = NewType("JSON", object)

UUID_CHARS: Final = 36


def write_uuid(value: UUID) -> str:
    if not isinstance(value, UUID):
        raise TypeError("no UUID")
    return str(value)


def write_instant(value: datetime) -> str:
    """RFC 3339 in UTC."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat()


def write_decimal(value: Decimal) -> str:
    """Never with an exponent."""
    return format(value, "f")


def write_json(value: object) -> object:
    return value


def read_uuid(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, str) and len(value) == UUID_CHARS:
            return UUID(value)
    except ValueError:
        pass
    raise GraphQLError("must be a UUID")


def read_instant(value: object) -> datetime:
    try:
        if isinstance(value, str) and "T" in value.upper():
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is not None:
                return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("must be an RFC 3339 date and time with an offset")


def read_decimal(value: object) -> Decimal:
    try:
        if isinstance(value, str):
            return Decimal(value)
    except ArithmeticError:
        pass
    raise GraphQLError("must be a decimal number as a string")


def read_json(value: object) -> object:
    return value


def _define(
    name: str,
    description: str,
    write: Callable[[Any], object],
    read: Callable[[object], object],
    url: str,
) -> ScalarDefinition:
    return scalar(
        name=name,
        description=description,
        serialize=write,
        parse_value=read,
        specified_by_url=url,
    )


SCALARS: Final[dict[object, ScalarDefinition]] = {
    UUID: _define(
        "UUID",
        "An id: a UUID of version 7, so ids sort by the time they were made.",
        write_uuid,
        read_uuid,
        "https://www.rfc-editor.org/rfc/rfc9562",
    ),
    datetime: _define(
        "DateTime",
        "An instant in UTC, as in RFC 3339.",
        write_instant,
        read_instant,
        "https://www.rfc-editor.org/rfc/rfc3339",
    ),
    Decimal: _define(
        "Decimal",
        "Money as a decimal string, in the unit the field names.",
        write_decimal,
        read_decimal,
        "https://speleotrove.com/decimal/daconvs.html",
    ),
    JSON: _define(
        "JSON",
        "Any JSON value.",
        write_json,
        read_json,
        "https://www.rfc-editor.org/rfc/rfc8259",
    ),
}
"""By the Python type that stands for them in annotations."""
