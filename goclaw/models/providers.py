"""Where models are reached: a vendor, an address, a key."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, SecretStr, StringConstraints
from sqlalchemy import Index
from sqlalchemy import Text as TextColumn
from sqlmodel import Field

from goclaw.core.ids import uuid7
from goclaw.core.provider_settings import checked_settings
from goclaw.models.shapes import (
    SLUG,
    JsonObject,
    Label,
    Patch,
    Shape,
    Text,
    View,
    jsonb,
    not_a_uuid,
    timestamp,
)


class ProviderType(StrEnum):
    """What a provider speaks."""

    ANTHROPIC_NATIVE = "anthropic_native"
    OPENAI_COMPAT = "openai_compat"
    GEMINI_NATIVE = "gemini_native"
    GROQ = "groq"
    DEEPSEEK = "deepseek"
    MISTRAL = "mistral"
    XAI = "xai"
    OLLAMA = "ollama"
    LOCAL = "local"


class ProviderSource(StrEnum):
    """Who made a provider; all but `api` are read-only."""

    API = "api"
    ENVIRONMENT = "environment"
    EMBEDDED = "embedded"


ProviderName = Annotated[
    str,
    StringConstraints(pattern=rf"^{SLUG.pattern}$", max_length=50),
    AfterValidator(not_a_uuid),
]
"""A slug; the column's own `max_length` would be overruled by that of `Slug`."""


Settings = Annotated[JsonObject, AfterValidator(checked_settings)]
"""The names and ranges of `core.provider_settings`."""


class BreakerState(StrEnum):
    """Calls go through (closed), are refused (open), or one is let through to see (half_open)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class ProviderBase(Shape):
    name: ProviderName = Field(max_length=50)
    display_name: Label | None = None
    provider_type: ProviderType = Field(sa_type=TextColumn)
    api_base: Text | None = Field(default=None, max_length=2000)
    enabled: bool = True
    settings: Settings = jsonb(default_factory=dict)


class ProviderCreate(ProviderBase):
    """What a caller chooses; `api_base` absent means the vendor's own address."""

    api_key: SecretStr | None = None


class ProviderPatch(Patch):
    """A new `api_base` needs `api_key` again; a null `api_key` forgets it."""

    name: ProviderName = Field(default=None)
    display_name: Label | None = None
    provider_type: ProviderType = Field(default=None)
    api_base: Text | None = Field(default=None, max_length=2000)
    api_key: SecretStr | None = None
    enabled: bool = Field(default=None)
    settings: Settings = Field(default=None)


class Provider(ProviderBase, table=True):
    """`api_key` is ciphertext."""

    __tablename__ = "providers"
    __table_args__ = (Index("providers_name", "name", unique=True),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    source: ProviderSource = Field(default=ProviderSource.API, sa_type=TextColumn)
    api_key: str | None = None
    created_by: str = ""
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()

    @property
    def has_api_key(self) -> bool:
        return self.api_key is not None


class ProviderView(View):
    """What a caller may read: never the key, only whether there is one."""

    id: UUID
    name: str
    display_name: str | None
    provider_type: ProviderType
    source: ProviderSource
    api_base: str | None
    has_api_key: bool
    enabled: bool
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ProviderModelView(View):
    """A model the vendor offers."""

    id: str
    name: str


class ProviderHealth(View):
    """Of the worker that answers, since the provider was changed or the worker started.

    `failures` count within the window; `last_error` is a code; `retry_after_s` is null while
    calls are let through.
    """

    state: BreakerState
    failures: int
    times_opened: int
    last_error: str | None
    retry_after_s: int | None


class ProviderVerification(View):
    """`error` says why the provider or the model does not work."""

    valid: bool
    error: str | None = None
    latency_ms: int
