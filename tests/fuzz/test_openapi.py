"""Schemathesis over the generated document, all checks: a slice, or hours with GOCLAW_FUZZ=long.

What the document cannot say is in `schemathesis.toml`.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

ROOT = Path(__file__).parents[2]
SEED = "--seed=20261123"
"""The slice asks the same each time; the long run looks for something new."""
LONG_S = 3600
LONG = os.environ.get("GOCLAW_FUZZ") == "long"


async def fuzz(server: RunningServer, slice_s: int, *options: str) -> None:
    limits = (
        (f"--max-time={LONG_S}",) if LONG else (f"--max-time={slice_s}", "--max-examples=8", SEED)
    )
    command = (
        sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/v1/openapi.json",
        "--checks=all", "--no-color", "--workers=1", "--generation-database=:memory:",
        *limits, *options,
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]


@pytest.mark.slow
async def test_with_a_token(server: RunningServer, upstream: ScriptedUpstream) -> None:
    await add_agent(server.services, await add_provider(server.services, upstream))
    await fuzz(server, 60, "-H", f"Authorization: Bearer {server.token}")


@pytest.mark.slow
async def test_without_one(server: RunningServer) -> None:
    await fuzz(server, 20, "--phases=coverage,fuzzing")


@pytest.mark.slow
async def test_an_open_server(open_server: RunningServer, upstream: ScriptedUpstream) -> None:
    await add_agent(open_server.services, await add_provider(open_server.services, upstream))
    await fuzz(open_server, 40, "--phases=coverage,fuzzing")
