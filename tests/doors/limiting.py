"""Servers whose limits are low enough to be met."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from goclaw.core.host import Host
from tests.doors.world import World, opened_world
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream


@asynccontextmanager
async def changed_server(host: Host, **changes: Any) -> AsyncIterator[RunningServer]:
    """Another server on the same database."""
    settings = host.settings.model_copy(update=changes)
    async with running_server(replace(host, settings=settings)) as server:
        yield server


@asynccontextmanager
async def limited_world(
    host: Host, upstream: ScriptedUpstream, **limits: Any
) -> AsyncIterator[World]:
    async with (
        changed_server(host, **limits) as server,
        opened_world(server, upstream) as world,
    ):
        yield world
