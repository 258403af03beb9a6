"""API keys: named, scoped, revocable credentials. Only a hash of the secret is kept."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import ARRAY, Index, Uuid
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.callers import Scope
from goclaw.core.ids import uuid7
from goclaw.models.shapes import (
    MAX_INT,
    Shape,
    UserId,
    View,
    instant_or_null,
    now,
    storable,
    timestamp,
)

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]


MAX_AGENTS = 100
MAX_PER_MINUTE = 1_000_000
MAX_GRACE_S = 7 * 24 * 3600


class ApiKeyCreate(Shape):
    """`expires_in` is in seconds from now; absent or 0 means never. Agents bind the key to
    them alone, which an administrator's key cannot be.
    """

    name: KeyName
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    expires_in: int | None = Field(default=None, ge=0, le=MAX_INT)
    user_id: UserId | None = None
    agent_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=MAX_AGENTS)
    rate_limit_per_minute: int | None = Field(default=None, ge=1, le=MAX_PER_MINUTE)
    budget_monthly_cents: int | None = Field(default=None, ge=0, le=MAX_INT)
    tokens_per_day: int | None = Field(default=None, ge=0, le=MAX_INT)


class ApiKeyRotate(Shape):
    """`grace_s` is how long the old secret goes on working, in seconds."""

    grace_s: int = Field(default=0, ge=0, le=MAX_GRACE_S)


class ApiKey(SQLModel, table=True):
    __tablename__ = "api_keys"
    __table_args__ = (
        Index("api_keys_hash", "key_hash", unique=True),
        Index("api_keys_previous_hash", "previous_hash", unique=True),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str
    prefix: str
    key_hash: str
    scopes: list[str] = Field(sa_type=ARRAY(TextColumn))
    user_id: str | None = None
    agent_ids: list[UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))
    rate_limit_per_minute: int | None = None
    budget_monthly_cents: int | None = None
    tokens_per_day: int | None = None
    expires_at: datetime | None = instant_or_null()
    previous_hash: str | None = None
    previous_until: datetime | None = instant_or_null()
    last_used_at: datetime | None = instant_or_null()
    last_used_address: str | None = None
    calls: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    calls_on: date | None = None
    revoked: bool = False
    created_by: str
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()

    @property
    def calls_today(self) -> int:
        return self.calls if self.calls_on == now().date() else 0


class ApiKeyView(View):
    """`prefix` is the first 8 characters after `goclaw_`; `previous_until` is how long the
    secret before it works; `calls_today` are those since midnight UTC.
    """

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    user_id: str | None
    agent_ids: list[UUID] | None
    rate_limit_per_minute: int | None
    budget_monthly_cents: int | None
    tokens_per_day: int | None
    expires_at: datetime | None
    previous_until: datetime | None
    last_used_at: datetime | None
    last_used_address: str | None
    calls_today: int
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
    agent_ids: list[UUID] | None
    rate_limit_per_minute: int | None
    budget_monthly_cents: int | None
    tokens_per_day: int | None
    expires_at: datetime | None
    created_at: datetime
