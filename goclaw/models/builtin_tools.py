"""The server's own tools: whether agents may have them, and how they are set up."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index
from sqlalchemy import Text as TextColumn
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import JsonObject, Patch, View, jsonb, timestamp

MASK = "***"
"""What stands for a secret in settings."""


class BuiltinToolPatch(Patch):
    """`settings` replace those there are; a secret that is `***` or absent stays, null forgets."""

    enabled: bool = Field(default=None)
    settings: JsonObject = Field(default=None)


class BuiltinTool(SQLModel, table=True):
    """`settings` hold `***` for what `secrets` holds: a sealed JSON object. The texts are the
    program's, written anew at each start.
    """

    __tablename__ = "builtin_tools"
    __table_args__ = (Index("builtin_tools_name", "name", unique=True),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str
    display_name: str
    description: str
    category: str
    enabled: bool = True
    settings: dict[str, Any] = jsonb(default_factory=dict)
    secrets: str | None = None
    requires: list[str] = Field(default_factory=list, sa_type=ARRAY(TextColumn))
    created_at: datetime = timestamp()
    updated_at: datetime = timestamp()


class BuiltinToolView(View):
    """`settings` are null for all but administrators; `settings_schema` is the JSON Schema of what
    they can be, null where nothing can be set; `missing` are those of `requires` that
    this server does not have, without which a tool is never enabled.
    """

    id: UUID
    name: str
    display_name: str
    description: str
    category: str
    enabled: bool
    settings: dict[str, Any] | None
    settings_schema: dict[str, Any] | None
    requires: list[str]
    missing: list[str]
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
