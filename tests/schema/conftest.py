from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.schema.client import Client, client_of
from tests.support.server import RunningServer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def admin(http: aiohttp.ClientSession, server: RunningServer) -> Client:
    """The gateway token, for no user in particular."""
    return client_of(http, server)


@pytest.fixture
def ada(admin: Client) -> Client:
    return admin.acting(user_id="ada")


@pytest.fixture
def nobody(http: aiohttp.ClientSession, server: RunningServer) -> Client:
    return Client(http, server.url, None)
