"""What `goclaw doctor` asks about the database and what is kept in it."""

from goclaw.core.callers import Scope
from goclaw.core.errors import Unavailable
from goclaw.models.system import DatabaseState, SecretsState
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.store.checkup import SealedKey, database_state, sealed_keys


@operation(Scope.ADMIN)
async def get_database_state(ctx: Context) -> DatabaseState:
    return await database_state(ctx.reads)


@operation(Scope.ADMIN)
async def check_secrets(ctx: Context) -> SecretsState:
    """Opens the stored provider keys, at most a hundred of them, and forgets what it reads."""
    rows = await sealed_keys(ctx.reads)
    unreadable = [row.name for row in rows if not _opens(ctx, row)]
    return SecretsState(stored=len(rows), unreadable=unreadable)


def _opens(ctx: Context, row: SealedKey) -> bool:
    try:
        ctx.services.vault.open(row.api_key, "providers", "api_key", row.id)
    except Unavailable:
        return False
    return True


@operation(Scope.ADMIN)
async def check_fanout(ctx: Context) -> bool:
    """Whether messages between workers arrive, be it over PostgreSQL or over Redis."""
    return bool(ctx.services.hub.figures()["connected"])
