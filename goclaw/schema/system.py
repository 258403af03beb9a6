from datetime import datetime
from uuid import UUID

import strawberry

from goclaw.core.callers import Role, Scope
from goclaw.models import system as models
from goclaw.resolvers.system import get_me, get_server
from goclaw.schema.field import described, field
from goclaw.schema.info import Info


@strawberry.type(description="Who is calling.")
class Me:
    user_id: str | None = described("The user the call is for; null when none was named.")
    role: Role = described("What the scopes amount to.")
    scopes: list[Scope] = described("What the caller may do.")
    is_owner: bool = described("Whether the user is one of the server's owners.")
    key_id: UUID | None = described("The API key that was used.")
    agent_ids: list[UUID] | None = described("The only agents the key reaches; null is all.")
    session_id: UUID | None = described("The signed-in page that calls, where one does.")
    authentication: models.Authentication = described("How callers are told apart.")


@strawberry.type(description="The server.")
class ServerInfo:
    version: str = described("Its version.")
    protocol: int = described("The version of its WebSocket RPC.")
    started_at: datetime = described("When it was started.")
    authentication: models.Authentication = described("How callers are told apart.")
    database: str = described("`embedded` or `external`.")
    local_model: str | None = described("The embedded model, where there is one.")
    events_cursor: str = described("Where a subscription begins that wants nothing of the past.")


@strawberry.type
class SystemQuery:
    @field(Me, "Who is calling and what that allows.")
    async def me(self, info: Info) -> models.Me:
        return await get_me(info.context)

    @field(ServerInfo, "What the server is.")
    async def server(self, info: Info) -> models.ServerInfo:
        return await get_server(info.context)
