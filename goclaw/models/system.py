"""What the server says about itself and about its caller."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from goclaw.core.callers import Role, Scope
from goclaw.models.shapes import View


class Authentication(StrEnum):
    """`open`: no gateway token is set, whoever reaches the server is an operator."""

    TOKEN = "token"  # noqa: S105
    OPEN = "open"


class Me(View):
    """`key_id` is set for an API key, `session_id` for a signed-in page;
    `is_owner` for a user named in GOCLAW_OWNER_IDS.
    """

    user_id: str | None
    role: Role
    scopes: list[Scope]
    is_owner: bool
    key_id: UUID | None
    session_id: UUID | None
    authentication: Authentication


class ServerInfo(View):
    """`protocol` is the version of the WebSocket RPC; `local_model` is null where there is none;
    `events_cursor` is where a subscription starts that wants nothing of the past.
    """

    version: str
    protocol: int
    started_at: datetime
    authentication: Authentication
    database: str
    local_model: str | None
    events_cursor: str


class DatabaseState(View):
    """`connections` are those in use, `max_connections` those that ordinary roles may have.
    `vector` is the version of the extension, null where it is not installed.
    """

    server_version: str
    connections: int
    max_connections: int
    vector: str | None
    vector_available: bool


class SecretsState(View):
    """`unreadable` names the providers whose stored key the encryption key does not open."""

    stored: int
    unreadable: list[str]


class Health(View):
    """`database` is `ok` or `unavailable`; `mode` is what clients of older servers expect."""

    status: str
    protocol: int
    uptime_ms: int
    mode: str
    database: str
