"""Servers whose limits are low enough to be met."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import time
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
    """In which it stays the same second, so that no count begins anew in the middle of a test."""
    async with changed_server(host, **limits) as server:
        now = time()
        for counting in (server.services.rates, server.services.failures):
            counting._clock = lambda: now
        async with opened_world(server, upstream) as world:
            yield world
