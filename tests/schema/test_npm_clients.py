"""What other people's programs say: the audit of graphql-http and the client graphql-ws."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.schema.client import Client
from tests.support.callers import add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

WEB = Path(__file__).parent.parent.parent / "web"


async def node(script: str, *arguments: str) -> str:
    if shutil.which("node") is None or not (WEB / "node_modules" / "graphql-http").exists():
        pytest.fail("this needs Node and the packages of web/: run `make web`")
    process = await asyncio.create_subprocess_exec(
        "node", f"blackbox/{script}", *arguments, cwd=WEB,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_audit_of_graphql_over_http(server: RunningServer) -> None:
    told = await node("audit.mjs", f"{server.url}/graphql", server.token)
    assert told.endswith(" 0 failed\n")
    assert int(told.split()[0]) > 50


async def test_graphql_ws_follows_a_run(
    ada: Client, server: RunningServer, upstream: ScriptedUpstream
) -> None:
    provider = await add_provider(server.services, upstream)
    agent: Any = (await ada.data('{ agent(key: "default") { id } }'))["agent"]
    change = "mutation($i: UpdateAgentInput!) { updateAgent(input: $i) { key } }"
    changes = {"id": agent["id"], "providerId": str(provider.id), "model": "m"}
    await ada.acting(user_id=None).data(change, i=changes)
    upstream.reply("One two three.", deltas=5, every=0.1)
    told = await node("follow.mjs", f"{server.url}/graphql", server.token, "ada", "Count.")
    text = "One two three."
    assert json.loads(told) == {"status": "COMPLETED", "heard": text, "content": text}
