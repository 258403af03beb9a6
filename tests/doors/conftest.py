"""Servers that the tests of a module share; starting one for each would take minutes."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.models.shapes import now
from tests.conftest import TOKEN
from tests.doors.world import World, opened_world
from tests.support.databases import Databases
from tests.support.leak_watch import watched
from tests.support.leaks import Secrets
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream


def host_for(dsn: str, upstream: ScriptedUpstream, folder: Path) -> Host:
    settings = Settings(
        data_dir=folder,
        gateway_token=SecretStr(TOKEN),
        owner_ids=("boss",),
        encryption_key=SecretStr("k" * 32),
        allowed_outbound_hosts=(upstream.host,),
        shutdown_grace_s=1,
        db_connections=12,
        # These tests try wrong credentials by the hundred.
        failures_per_address=0,
        # And every test has rows of its own.
        cron_jobs_per_user=10_000,
    )
    return Host(
        settings=settings,
        dsn=dsn,
        started_at=now(),
        local_model_missing="switched off in tests",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    secrets: Secrets,
) -> AsyncIterator[World]:
    async with databases.lent() as dsn, watched(dsn, secrets):
        async with ScriptedUpstream() as upstream:
            host = host_for(dsn, upstream, tmp_path_factory.mktemp("doors"))
            async with running_server(host) as server, opened_world(server, upstream) as world:
                yield world


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def small_world(server: RunningServer, upstream: ScriptedUpstream) -> AsyncIterator[World]:
    """A server for one test that does it harm."""
    async with opened_world(server, upstream) as world:
        yield world
