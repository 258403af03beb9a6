"""What tests of all floors share: a database of their own, services, a running server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
import structlog
from pydantic import SecretStr

from goclaw.app.services import open_services
from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.embedded.postgres import EmbeddedPostgres
from goclaw.models.shapes import now
from goclaw.resolvers.services import Services
from goclaw.store.migrate import migrate
from tests.support.databases import TEMPLATE, Databases, run_sql, with_database
from tests.support.leak_watch import secrets, watched
from tests.support.leaks import Secrets
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream

__all__ = ["TEMPLATE", "run_sql", "secrets", "with_database"]

CONNECTIONS = 80
HASTE = (
    "alter system set fsync = off",
    "alter system set synchronous_commit = off",
    "alter system set full_page_writes = off",
    "select pg_reload_conf()",
)
"""Nobody needs the data of a test after the machine lost its power."""
TOKEN = "test-token"

# As the server has it: what structlog begins with draws a traceback with all variables, which
# takes seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones come first, so that nobody is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server with a migrated template. Its folder is none of
    pytest's, which clears away those of other runs.
    """
    with TemporaryDirectory(prefix="goclaw-test-") as folder:
        server = EmbeddedPostgres(Path(folder), CONNECTIONS)
        uri = server.start().dsn
        asyncio.run(run_sql(uri, *HASTE, f"create database {TEMPLATE}"))
        asyncio.run(migrate(with_database(uri, TEMPLATE)))
        yield uri
        server.stop(hurry=True)


@pytest.fixture(scope="session")
def databases(postgres: str) -> Databases:
    return Databases(postgres)


@pytest.fixture
async def dsn(
    databases: Databases, secrets: Secrets, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """A migrated database that nobody else uses. Afterwards it is searched for secrets."""
    marked = request.node.get_closest_marker("leaky") is not None
    async with databases.lent() as dsn, watched(dsn, secrets, marked=marked):
        yield dsn


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


def settings_for(folder: Path, upstream: ScriptedUpstream) -> Settings:
    return Settings(
        data_dir=folder,
        gateway_token=SecretStr(TOKEN),
        encryption_key=SecretStr("k" * 32),
        allowed_outbound_hosts=(upstream.host,),
        shutdown_grace_s=1,
        db_connections=12,
    )


def host_of(dsn: str, settings: Settings) -> Host:
    return Host(
        settings=settings,
        dsn=dsn,
        started_at=now(),
        local_model_missing="switched off in tests",
    )


@pytest.fixture
def settings(tmp_path: Path, upstream: ScriptedUpstream) -> Settings:
    return settings_for(tmp_path, upstream)


@pytest.fixture
def host(dsn: str, settings: Settings) -> Host:
    return host_of(dsn, settings)


@pytest.fixture
async def services(host: Host) -> AsyncIterator[Services]:
    async with open_services(host) as services:
        yield services


@pytest.fixture
async def server(host: Host) -> AsyncIterator[RunningServer]:
    """The whole gateway on a loopback port, in this event loop."""
    async with running_server(host) as server:
        yield server


@pytest.fixture
async def open_server(host: Host) -> AsyncIterator[RunningServer]:
    """The same without a gateway token."""
    settings = host.settings.model_copy(update={"gateway_token": None})
    async with running_server(replace(host, settings=settings)) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_server(
    databases: Databases, secrets: Secrets, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServer]:
    """One for all tests of a module whose loop is the module's, and who leave it as it is."""
    async with databases.lent() as dsn, watched(dsn, secrets):
        async with ScriptedUpstream() as upstream:
            host = host_of(dsn, settings_for(tmp_path_factory.mktemp("shared"), upstream))
            async with running_server(host) as server:
                yield server
