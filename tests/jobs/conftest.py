"""Servers on one database, and an agent they all know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from goclaw.core.host import Host
from goclaw.models.agents import AgentView
from goclaw.resolvers.runs import get_run
from goclaw.store.pool import Row
from tests.jobs.firm import Firm
from tests.support.callers import add_agent, add_provider, context
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream

Serve = Callable[..., AbstractAsyncContextManager[RunningServer]]
Sql = Callable[..., Coroutine[Any, Any, list[Row]]]
Due = Callable[..., Coroutine[Any, Any, None]]

WORD = "word "


@pytest.fixture
def serve(host: Host) -> Serve:
    """Another server, with other settings where they are given."""

    @asynccontextmanager
    async def another(**settings: Any) -> AsyncIterator[RunningServer]:
        changed = host.settings.model_copy(update=settings)
        async with running_server(replace(host, settings=changed)) as server:
            yield server

    return another


@pytest.fixture
async def agent(server: RunningServer, upstream: ScriptedUpstream) -> AgentView:
    return await add_agent(server.services, await add_provider(server.services, upstream))


@pytest.fixture
def sql(dsn: str) -> Sql:
    async def run(statement: str, *arguments: object) -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    return run


async def until_status(server: RunningServer, run_id: UUID, *statuses: str) -> Any:
    """The run, once it has one of them."""
    async with asyncio.timeout(30):
        while True:
            run = await get_run(context(server.services), run_id)
            if run.status in statuses:
                return run
            await asyncio.sleep(0.02)


async def until_asked(upstream: ScriptedUpstream, times: int = 1) -> None:
    """The model was asked so often."""
    async with asyncio.timeout(30):
        while len(upstream.requests) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def firm(server: RunningServer, upstream: ScriptedUpstream) -> Firm:
    return Firm(server, upstream, await add_provider(server.services, upstream))


@pytest.fixture
def due(sql: Sql) -> Due:
    """As if it had been due for so long."""

    async def set_due(id: UUID, seconds_ago: float = 0.0) -> None:
        await sql(
            """update cron_jobs set next_run_at = now() - make_interval(secs => $2),
                run_at = case kind when 'at' then now() - make_interval(secs => $2) end
            where id = $1""",
            id,
            seconds_ago,
        )

    return set_due
