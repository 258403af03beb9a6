"""How safe and how well the server is: for `goclaw doctor` and for the security page."""

import asyncio
from pkgutil import resolve_name
from typing import Final

from goclaw.core.callers import Scope
from goclaw.core.settings import Settings
from goclaw.models.findings import Finding, FindingStatus
from goclaw.models.system import SecretsState, SecurityOverview
from goclaw.resolvers.check_settings import check_settings
from goclaw.resolvers.check_stored import (
    check_connections,
    check_database,
    check_extension,
    check_fanout,
    check_keys,
    check_refused,
    check_secrets,
    check_version,
)
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.security.stored_secrets import StoredGroup, stored_secrets
from goclaw.store.checkup import database_state, keys_state

NEWEST_VERSION: Final = "goclaw.store.migrate:newest_version"
"""Found by name: it needs Alembic, which a worker does without until it is asked."""


@operation(Scope.ADMIN)
async def get_security_overview(ctx: Context) -> SecurityOverview:
    """What `goclaw doctor` finds in settings and database; nothing outside is asked."""
    settings = ctx.services.settings
    findings = [*check_settings(settings), *await _stored(ctx, settings)]
    return SecurityOverview(
        well=not any(finding.status is FindingStatus.FAILED for finding in findings),
        findings=findings,
    )


@operation(Scope.ADMIN)
async def check_stored(ctx: Context, settings: Settings) -> list[Finding]:
    """The part of it that a database is needed for. `settings` are those of the server: a command
    has fewer connections than it.
    """
    return await _stored(ctx, settings)


async def _stored(ctx: Context, settings: Settings) -> list[Finding]:
    state, keys = await database_state(ctx.reads), await keys_state(ctx.reads)
    newest = await asyncio.to_thread(resolve_name(NEWEST_VERSION))
    return [
        check_database(state, settings),
        check_version(state.version, newest),
        check_extension(state),
        check_connections(state, settings),
        check_secrets(await _secrets_state(ctx)),
        check_fanout(settings, connected=bool(ctx.services.hub.figures()["connected"])),
        *check_keys(keys),
        check_refused(keys),
    ]


async def _secrets_state(ctx: Context) -> SecretsState:
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
