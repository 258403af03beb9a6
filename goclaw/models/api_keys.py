"""API keys: named, scoped, revocable credentials. Only a hash of the secret is kept."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import ARRAY, Index
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.callers import Scope
from goclaw.core.ids import uuid7
from goclaw.models.shapes import MAX_INT, Shape, UserId, View, instant_or_null, storable, timestamp

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]


class ApiKeyCreate(Shape):
    """`expires_in` is in seconds from now; absent or 0 means never."""

    name: KeyName
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    expires_in: int | None = Field(default=None, ge=0, le=MAX_INT)
    user_id: UserId | None = None


class ApiKey(SQLModel, table=True):
    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_hash", "key_hash", unique=True),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str
    prefix: str
    key_hash: str
    scopes: list[str] = Field(sa_type=ARRAY(TextColumn))
    user_id: str | None = None
    expires_at: datetime | None = instant_or_null()
    last_used_at: datetime | None = instant_or_null()
    revoked: bool = False
    created_by: str
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()


class ApiKeyView(View):
    """`prefix` is the first 8 characters after `goclaw_`."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    user_id: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked: bool
    created_by: str
    created_at: datetime
    updated_at: datetime


class CreatedApiKey(View):
    """`key` is shown this once."""

    id: UUID
    name: str
    prefix: str
    key: str
    scopes: list[Scope]
    user_id: str | None
    expires_at: datetime | None
    created_at: datetime
