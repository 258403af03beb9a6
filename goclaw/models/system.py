"""What the server says about itself and about its caller."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from goclaw.core.callers import Role, Scope
from goclaw.models.findings import Finding
from goclaw.models.shapes import View


class Authentication(StrEnum):
    """`open`: no gateway token is set, whoever reaches the server is an operator."""

    TOKEN = "token"  # noqa: S105
    OPEN = "open"


class Me(View):
    """`key_id` is set for an API key, `agent_ids` for one that is bound to agents, `session_id`
    for a signed-in page;
    `is_owner` for a user named in GOCLAW_OWNER_IDS.
    """

    user_id: str | None
    role: Role
    scopes: list[Scope]
    is_owner: bool
    key_id: UUID | None
    agent_ids: list[UUID] | None
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
    """`version` is that of the tables. `connections` are those in use, `max_connections` those
    that ordinary roles may have. `vector` is the version of the extension, null where it is not
    installed.
    """

    server_version: str
    version: str | None
    connections: int
    max_connections: int
    vector: str | None
    vector_available: bool


class SecretsState(View):
    """`older` of the stored secrets can be read and are not under the key that writes;
    `unreadable` names those that cannot be, up to a hundred of each key.
    """

    stored: int
    older: int
    unreadable: list[str]


class KeysState(View):
    """`working` are the API keys that are neither revoked nor expired. Of those, `admin` have
    operator.admin, `endless` never expire, and `unused` were not used for `unused_days` or more.
    `refused` are credentials of callers that were refused within the last hour.
    """

    working: int
    admin: int
    endless: int
    endless_admin: int
    unused: int
    unused_days: int
    refused: int


class SecurityOverview(View):
    """`well`: no finding says that something failed."""

    well: bool
    findings: list[Finding]


class KeyRotation(View):
    """`key_id` is the key that writes, `is_new` whether it was made or taken just now.

    `reencrypted` secrets were moved under it, `discarded` given up. `unreadable` names those
    that stay behind for want of their key, `busy` counts those that others were changing.
    `reading` are the keys that are kept for reading, `forgotten` those that were dropped.
    """

    id: UUID
    key_id: str
    is_new: bool
    reencrypted: int
    discarded: int
    unreadable: list[str]
    busy: int
    reading: list[str]
    forgotten: list[str]


class Health(View):
    """`database` is `ok` or `unavailable`; `mode` is what clients of older servers expect."""

    status: str
    protocol: int
    uptime_ms: int
    mode: str
    database: str
