"""Field types and column arguments that more than one entity uses."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from goclaw.core.reasons import Reason

MAX_INT = 2**31 - 1
MAX_USER_ID_BYTES = 255


def now() -> datetime:
    return datetime.now(UTC)


def storable(text: str) -> str:
    """PostgreSQL text cannot hold NUL."""
    if "\x00" in text:
        raise ValueError(Reason("nul"))
    return text


def storable_json(value: Any) -> Any:
    """Like `storable`, for every string inside a JSON value."""
    if isinstance(value, str):
        storable(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            storable(key)
            storable_json(item)
    elif isinstance(value, list):
        for item in value:
            storable_json(item)
    return value


def not_a_uuid(slug: str) -> str:
    """A path takes an id or a slug, so a slug must not read as an id."""
    try:
        UUID(slug)
    except ValueError:
        return slug
    raise ValueError(Reason("looks_like_uuid"))


def short_user_id(user_id: str) -> str:
    if len(user_id.encode()) > MAX_USER_ID_BYTES:
        raise ValueError(Reason("too_many_bytes", limit=MAX_USER_ID_BYTES))
    return storable(user_id)


SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
Slug = Annotated[
    str,
    StringConstraints(pattern=rf"^{SLUG.pattern}$", max_length=100),
    AfterValidator(not_a_uuid),
]
"""Lowercase letters, digits and inner hyphens; up to 100 of them."""

Text = Annotated[str, AfterValidator(storable)]
Label = Annotated[str, StringConstraints(max_length=255), AfterValidator(storable)]
LongText = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(storable)]
UserId = Annotated[str, StringConstraints(min_length=1), AfterValidator(short_user_id)]
JsonObject = Annotated[dict[str, Any], AfterValidator(storable_json)]


class Shape(SQLModel):
    """What a caller sends; fields it does not know are left alone."""

    model_config = ConfigDict(extra="ignore")  # type: ignore[assignment]


class View(BaseModel):
    """What may leave: the fields of a row by name, in this order."""


class Patch(SQLModel):
    """Some fields of a row. Absent means unchanged, null means cleared where that is allowed."""

    model_config = ConfigDict(extra="forbid")  # type: ignore[assignment]

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


def timestamp(**more: Any) -> Any:
    """A column of an instant, `now` unless told otherwise."""
    return Field(**({"default_factory": now} | more), sa_type=DateTime(timezone=True))


def instant_or_null() -> Any:
    return Field(default=None, sa_type=DateTime(timezone=True))


def jsonb(**more: Any) -> Any:
    return Field(**more, sa_type=JSONB)
