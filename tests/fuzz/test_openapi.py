"""Schemathesis over the generated document, all checks, as each role: a slice. The long run is
`make fuzz`. What the document cannot say is in `schemathesis.toml`.
"""

import asyncio
from functools import partial

import pytest

from goclaw.core.callers import Scope
from tests.fuzz.cases import over_schema
from tests.fuzz.roles import Role, prepared
from tests.fuzz.schema_runs import over_rest
from tests.fuzz.tally import Tally
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

OTHERS = ("anonymous", "viewer", "operator", "pairing only", "approvals only", "bound key")
EXAMPLES = 50


@pytest.mark.slow
async def test_as_the_administrator(server: RunningServer, upstream: ScriptedUpstream) -> None:
    roles = await asyncio.to_thread(prepared, server.url, server.token, upstream)
    tally = Tally()
    await asyncio.to_thread(over_rest, server.url, roles["admin"], tally, 40, "--max-examples=4")
    assert tally.answers["/v1", "admin"]["200"] > 0


@pytest.mark.slow
async def test_as_each_other_role(server: RunningServer, upstream: ScriptedUpstream) -> None:
    roles = await asyncio.to_thread(prepared, server.url, server.token, upstream)
    tally = Tally()
    for name in OTHERS:
        run = partial(over_schema, "/v1", server.url, roles[name], tally, examples=EXAMPLES)
        await asyncio.to_thread(run)
    assert all(tally.calls("/v1", name) >= EXAMPLES / 2 for name in OTHERS), tally.lines()
    assert tally.answers["/v1", "viewer"]["200"] > 0, tally.lines()


@pytest.mark.slow
async def test_an_open_server(open_server: RunningServer) -> None:
    options = ("--phases=coverage", "--max-examples=2")
    nobody = Role("nobody", None, None, (Scope.WRITE,), bound=False, secrets=(), ids=("gone",))
    await asyncio.to_thread(over_rest, open_server.url, nobody, Tally(), 15, *options)
