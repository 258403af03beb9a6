"""What `goclaw doctor` asks about the database and what is kept in it."""

from goclaw.core.callers import Scope
from goclaw.models.system import DatabaseState, SecretsState
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.security.stored_secrets import StoredGroup, stored_secrets
from goclaw.store.checkup import database_state


@operation(Scope.ADMIN)
async def get_database_state(ctx: Context) -> DatabaseState:
    return await database_state(ctx.reads)


@operation(Scope.ADMIN)
async def check_secrets(ctx: Context) -> SecretsState:
    """Opens up to a hundred of each key, and forgets what it reads."""
    vault = ctx.services.vault
    writing = vault.keys.writing()
    groups = await stored_secrets(ctx.services.database, vault)
    older = [group for group in groups if writing is None or group.group.key != writing.id]
    return SecretsState(
        stored=sum(group.group.total for group in groups),
        older=sum(group.group.total for group in older if group.opens),
        unreadable=[name for group in groups for name in _unreadable(group)],
    )


def _unreadable(group: StoredGroup) -> list[str]:
    return [f"{group.place} of {row.label}" for row in group.unreadable]


@operation(Scope.ADMIN)
async def check_fanout(ctx: Context) -> bool:
    """Whether messages between workers arrive, be it over PostgreSQL or over Redis."""
    return bool(ctx.services.hub.figures()["connected"])
