"""Operations at the command line: done as the administrator of this machine, on the database
of the server, whether or not that is running.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any, Final, TypeVar

import typer

from goclaw.core.callers import system_caller
from goclaw.core.errors import Conflict, GatewayError, Unavailable
from goclaw.core.host import Host
from goclaw.core.logs import configure_logs
from goclaw.core.paging import MAX_PAGE, HasId, Page, PageRequest
from goclaw.core.request_ids import request_id
from goclaw.core.settings import MIN_CONNECTIONS_PER_WORKER, InvalidSettings, Settings
from goclaw.embedded.postgres import attached
from goclaw.resolvers.context import Context
from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets, secrets_of

T = TypeVar("T")
Row = TypeVar("Row", bound=HasId)

OPEN_SERVICES: Final = "goclaw.app:open_services"
MIGRATE: Final = "goclaw.app:migrate"
DATABASE_VERSION: Final = "goclaw.app:database_version"
NEWEST_VERSION: Final = "goclaw.app:newest_version"
BAD_SETTINGS: Final = 2
PROGRAM: Final = "goclaw"

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the embedded database, as given to goclaw serve.")
]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What can go wrong without being a bug ends the command with one line about it."""
    try:
        yield
    except InvalidSettings as error:
        typer.echo(f"goclaw: {error}", err=True)
        raise typer.Exit(BAD_SETTINGS) from error
    except GatewayError as error:
        typer.echo(f"goclaw: {error}", err=True)
        raise typer.Exit(1) from error


def configure_command_logs(settings: Settings) -> None:
    """What a command has to say it prints; the log is for its bugs."""
    level = "debug" if settings.log_level == "debug" else "error"
    configure_logs(settings.log_format, level, Scrubber(Secrets(secrets_of(settings))).log_line)


@contextmanager
def host_of(settings: Settings) -> Iterator[Host]:
    """Its database is the configured one, that of the server which runs on the data folder, or
    one started for as long as the block lasts. Call from the main thread, outside a loop.

    Raises Conflict while a server is starting, Unavailable when the database cannot start.
    """
    dsn = settings.postgres_dsn
    if dsn is not None:
        yield _host(settings, dsn.get_secret_value(), embedded=False)
        return
    with ExitStack() as stack:
        try:
            database = stack.enter_context(attached(settings.data_dir, settings.db_connections))
        except OSError as error:
            raise Unavailable("embedded_database_failed", reason=error) from error
        yield _host(settings, database.dsn, embedded=True)


def _host(settings: Settings, dsn: str, *, embedded: bool) -> Host:
    few = {"workers": 1, "db_connections": MIN_CONNECTIONS_PER_WORKER}
    return Host(
        settings=settings.model_copy(update=few),
        dsn=dsn,
        started_at=datetime.now(UTC),
        embedded_database=embedded,
        local_model_missing="only the server runs it",
    )


def as_administrator(
    settings: Settings, work: Callable[[Context], Coroutine[Any, Any, T]], command: str = PROGRAM
) -> T:
    """`command` is what the audit names: the words that were typed, without arguments.

    Raises what `host_of` does, Conflict when the database has another version than ours
    (an embedded one is brought up to date instead), and what `work` raises.
    """
    with host_of(settings) as host:
        return asyncio.run(_up_to_date_and_work(host, work, command))


async def _up_to_date_and_work(
    host: Host, work: Callable[[Context], Awaitable[T]], command: str
) -> T:
    found, newest = await versions(host.dsn)
    if found != newest:
        if not host.embedded_database:
            code = "database_older" if found is None or found < newest else "database_newer"
            raise Conflict(code, version=found or "none", known=newest)
        await resolve_name(MIGRATE)(host.dsn)
    return await work_on(host, work, command)


async def work_on(host: Host, work: Callable[[Context], Awaitable[T]], command: str = PROGRAM) -> T:
    async with resolve_name(OPEN_SERVICES)(host, serving=False) as services:
        return await work(Context(services, system_caller(), request_id(None), command=command))


async def versions(dsn: str) -> tuple[str | None, str]:
    """The version the database has, None before its first migration; and the one we need."""
    found: str | None = await resolve_name(DATABASE_VERSION)(dsn)
    return found, resolve_name(NEWEST_VERSION)()


async def every(read: Callable[[PageRequest], Awaitable[Page[Row]]]) -> list[Row]:
    """The rows of all pages."""
    page = await read(PageRequest(MAX_PAGE))
    rows = list(page.rows)
    while page.has_next:
        page = await read(PageRequest(MAX_PAGE, before=rows[-1].id))
        rows += page.rows
    return rows
