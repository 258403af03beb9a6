"""What `goclaw doctor` asks the database, and the providers that are written down in it."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from goclaw.cli.check_machine import check_key
from goclaw.cli.check_providers import check_providers
from goclaw.cli.findings import Finding, Status, failed, info, ok, warning
from goclaw.cli.session import host_of, versions, work_on
from goclaw.core.errors import Conflict, GatewayError
from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.embedded.postgres import has_database
from goclaw.models.system import DatabaseState, SecretsState
from goclaw.resolvers.checkup import check_fanout, check_secrets, get_database_state
from goclaw.resolvers.context import Context

MOST_NAMED: Final = 5


def check_database(settings: Settings, *, offline: bool) -> list[Finding]:
    if settings.postgres_dsn is None and not has_database(settings.data_dir):
        return [info("database", "none yet: goclaw serve makes it when it starts")]
    try:
        with host_of(settings) as host:
            return asyncio.run(_check(settings, host, offline=offline))
    except GatewayError as error:
        return [failed("database", reason_of(error, settings), _remedy(settings, error))]


def reason_of(error: GatewayError, settings: Settings) -> str:
    """With what the driver said, which the error leaves out as strangers might read it."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if cause is error or error.code != "database_unavailable":
        return str(error)
    text = f"{type(cause).__name__}: {cause}".strip(": ")
    dsn = settings.postgres_dsn
    password = urlsplit(dsn.get_secret_value()).password if dsn else None
    for secret in filter(None, (password, unquote(password or ""))):
        text = text.replace(secret, "***")
    return f"it does not answer: {text}"


def _remedy(settings: Settings, error: GatewayError) -> str:
    if settings.postgres_dsn is not None:
        return "see that PostgreSQL runs and that GOCLAW_POSTGRES_DSN is right"
    if isinstance(error, Conflict):
        return "wait until the server has started, or end that process"
    return f"read {settings.data_dir / 'postgres.log'}"


async def _check(settings: Settings, host: Host, *, offline: bool) -> list[Finding]:
    where = "embedded" if host.embedded_database else "named by GOCLAW_POSTGRES_DSN"
    found, newest = await versions(host.dsn)
    if found != newest:
        return [ok("database", where), _other_version(found, newest)]
    examine = partial(_examine, settings=settings, where=where, offline=offline)
    findings = await work_on(_without_bad_key(settings, host), examine)
    findings.insert(1, ok("version", newest))
    return findings


def _other_version(found: str | None, newest: str) -> Finding:
    if found is not None and found > newest:
        text = f"{found} is newer than {newest}, the newest this program knows"
        return failed("version", text, "install the goclaw that the server runs, or a newer one")
    fix = "run goclaw migrate, or start goclaw serve"
    return failed("version", f"{found or 'none'}, and {newest} is needed", fix)


def _without_bad_key(settings: Settings, host: Host) -> Host:
    """A key that cannot be used does not keep us from looking at the rest; none is made."""
    if check_key(settings).status is Status.OK:
        return host
    keyless = host.settings.model_copy(update={"encryption_key": None})
    return replace(host, settings=keyless, embedded_database=False)


async def _examine(ctx: Context, *, settings: Settings, where: str, offline: bool) -> list[Finding]:
    state = await get_database_state(ctx)
    findings = [
        ok("database", f"PostgreSQL {state.server_version}, {where}"),
        _extension(state),
        _connections(state, settings),
        _secrets(await check_secrets(ctx)),
        _fanout(settings, connected=await check_fanout(ctx)),
    ]
    return findings + await check_providers(ctx, offline=offline)


def _extension(state: DatabaseState) -> Finding:
    if state.vector:
        return ok("vector", f"extension {state.vector}")
    fix = "as its superuser, in this database: CREATE EXTENSION vector"
    if not state.vector_available:
        fix = "install pgvector for this PostgreSQL, then: CREATE EXTENSION vector"
    text = "the extension is missing; nothing needs it yet, a later version will"
    return warning("vector", text, fix)


def _connections(state: DatabaseState, settings: Settings) -> Finding:
    text = (
        f"{state.connections} of {state.max_connections} in use; "
        f"the server takes up to {settings.db_connections}"
    )
    if settings.db_connections >= state.max_connections:
        fix = "lower GOCLAW_DB_CONNECTIONS, or raise max_connections of PostgreSQL"
        return failed("connections", text, fix)
    return ok("connections", text)


def _secrets(state: SecretsState) -> Finding:
    if state.older and not state.unreadable:
        text = f"{state.stored}, all readable, {state.older} of them with older keys only"
        fix = "goclaw keys rotate-encryption; older keys are needed until then"
        return warning("stored secrets", text, fix)
    if not state.unreadable:
        return ok("stored secrets", f"{state.stored}, all readable")
    named = ", ".join(state.unreadable[:MOST_NAMED])
    more = len(state.unreadable) - MOST_NAMED
    text = f"these cannot be read: {named}"
    fix = "put the encryption key back that they were stored with, or store them again"
    return failed("stored secrets", f"{text} and {more} more" if more > 0 else text, fix)


def _fanout(settings: Settings, *, connected: bool) -> Finding:
    """Between workers and replicas."""
    if settings.redis_url is not None:
        fix = "see that Redis runs and that GOCLAW_REDIS_URL is right"
        text = "Redis answers" if connected else "Redis does not answer"
        return ok("fan-out", text) if connected else failed("fan-out", text, fix)
    if connected:
        return ok("fan-out", "over PostgreSQL")
    fix = "let GOCLAW_POSTGRES_DSN lead to PostgreSQL itself, or set GOCLAW_REDIS_URL"
    return failed("fan-out", "LISTEN does not work through this connection", fix)
