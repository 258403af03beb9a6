from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from goclaw.core.callers import Scope
from goclaw.core.errors import Unavailable
from goclaw.core.settings import Settings
from goclaw.models.system import Authentication, Health, Me, ServerInfo
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import PUBLIC, operation

PROTOCOL: Final = 3
VERSION: Final = version("goclaw")


def authentication(settings: Settings) -> Authentication:
    return Authentication.OPEN if settings.is_open else Authentication.TOKEN


@operation(PUBLIC)
async def get_me(ctx: Context) -> Me:
    """Raises Unauthenticated for nobody; a key of any scope may ask who it is."""
    caller = ctx.caller
    return Me(
        user_id=caller.user_id,
        role=caller.role,
        scopes=sorted(caller.scopes),
        is_owner=caller.is_owner,
        key_id=caller.key_id,
        agent_ids=None if caller.agent_ids is None else sorted(caller.agent_ids),
        session_id=caller.session_id,
        authentication=authentication(ctx.services.settings),
    )


@operation(Scope.READ)
async def get_server(ctx: Context) -> ServerInfo:
    host = ctx.services.host
    return ServerInfo(
        version=VERSION,
        protocol=PROTOCOL,
        started_at=ctx.services.started_at,
        authentication=authentication(ctx.services.settings),
        database="embedded" if host.embedded_database else "external",
        local_model=host.local_model.name if host.local_model else None,
        events_cursor=await ctx.services.hub.head(),
    )


@operation(PUBLIC)
async def get_health(ctx: Context) -> Health:
    """Answers also while the database is away."""
    uptime = datetime.now(UTC) - ctx.services.started_at
    return Health(
        status="ok",
        protocol=PROTOCOL,
        uptime_ms=int(uptime.total_seconds() * 1000),
        mode="managed",
        database=await _database(ctx),
    )


async def _database(ctx: Context) -> str:
    try:
        await ctx.services.database.ping()
    except Unavailable:
        return "unavailable"
    return "ok"


@operation(PUBLIC)
async def check_ready(ctx: Context) -> None:
    """Raises Unavailable while the database is away or the server is stopping."""
    if ctx.services.runner.stopping:
        raise Unavailable("stopping", retry_after_s=5)
    await ctx.services.database.ping()
