"""Schemathesis' GraphQL mode as each role: queries and mutations with arguments of all kinds."""

import asyncio
from functools import partial

import pytest

from tests.fuzz.cases import over_schema
from tests.fuzz.roles import prepared
from tests.fuzz.tally import Tally
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

EXAMPLES = 50


@pytest.mark.slow
async def test_as_each_role(server: RunningServer, upstream: ScriptedUpstream) -> None:
    roles = await asyncio.to_thread(prepared, server.url, server.token, upstream)
    tally = Tally()
    for role in roles.values():
        run = partial(over_schema, "graphql", server.url, role, tally, examples=EXAMPLES)
        await asyncio.to_thread(run)
    assert all(tally.calls("graphql", name) >= EXAMPLES / 2 for name in roles), tally.lines()
