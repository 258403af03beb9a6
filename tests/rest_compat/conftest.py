from collections.abc import AsyncIterator

import httpx2
import pytest
from openai import AsyncOpenAI

from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream


@pytest.fixture
async def scribe(server: RunningServer, upstream: ScriptedUpstream) -> str:
    """The key of an agent of `ada` that the scripted vendor answers for."""
    await add_agent(server.services, await add_provider(server.services, upstream))
    return "scribe"


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx2.AsyncClient]:
    """An administrator who acts as `ada`."""
    headers = {"Authorization": f"Bearer {server.token}", "X-GoClaw-User-Id": "ada"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers) as client:
        yield client


@pytest.fixture
async def openai(server: RunningServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=f"{server.url}/v1",
        api_key=server.token,
        default_headers={"X-GoClaw-User-Id": "ada"},
        max_retries=0,
    ) as client:
        yield client
