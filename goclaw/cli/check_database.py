"""What `goclaw doctor` asks the database, and the providers that are written down in it."""

import asyncio
from dataclasses import replace
from functools import partial
from urllib.parse import unquote, urlsplit

from goclaw.cli.check_providers import check_providers
from goclaw.cli.session import host_of, versions, work_on
from goclaw.core.errors import Conflict, GatewayError
from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.embedded.postgres import has_database
from goclaw.models.findings import Finding, FindingStatus, failed, info, ok
from goclaw.resolvers.check_settings import check_key
from goclaw.resolvers.check_stored import check_version
from goclaw.resolvers.checkup import check_stored
from goclaw.resolvers.context import Context


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
        return [ok("database", where), check_version(found, newest)]
    examine = partial(_examine, settings=settings, offline=offline)
    return await work_on(_without_bad_key(settings, host), examine)


def _without_bad_key(settings: Settings, host: Host) -> Host:
    """A key that cannot be used does not keep us from looking at the rest; none is made."""
    if check_key(settings).status is FindingStatus.OK:
        return host
    keyless = host.settings.model_copy(update={"encryption_key": None})
    return replace(host, settings=keyless, embedded_database=False)


async def _examine(ctx: Context, *, settings: Settings, offline: bool) -> list[Finding]:
    return await check_stored(ctx, settings) + await check_providers(ctx, offline=offline)
