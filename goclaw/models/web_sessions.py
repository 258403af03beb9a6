"""Signed-in pages. Only a hash of what the browser holds is kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from goclaw.core.ids import uuid7
from goclaw.models.shapes import View, timestamp

MAX_USER_AGENT_CHARS = 300


class WebSession(SQLModel, table=True):
    """Of an API key, or of the gateway token when `key_id` is None; `token_proof` then shows
    that the token is still the one it began with.
    """

    __tablename__ = "web_sessions"
    __table_args__ = (
        Index("web_sessions_secret", "secret_hash", unique=True),
        Index("web_sessions_key", "key_id", "last_seen_at"),
        Index("web_sessions_user", "user_id", "id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    secret_hash: str
    user_id: str | None = None
    key_id: UUID | None = Field(default=None, foreign_key="api_keys.id", ondelete="CASCADE")
    token_proof: str | None = None
    address: str | None = None
    user_agent: str | None = None
    created_at: datetime = timestamp()
    last_seen_at: datetime = timestamp()
    expires_at: datetime = timestamp()


class WebSessionView(View):
    """`last_seen_at` is kept to a minute, `address` is where it was used last from."""

    id: UUID
    user_id: str | None
    key_id: UUID | None
    address: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
