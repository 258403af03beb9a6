from collections.abc import AsyncIterator, Callable

import pytest

from goclaw.core.provider_settings import read_settings
from goclaw.providers.client import ModelClient
from goclaw.providers.config import ProviderConfig, Timeouts
from goclaw.providers.registry import VENDORS, open_client
from goclaw.security.outbound import OutboundClient
from tests.upstream import ScriptedUpstream

KEY = "sk-scripted-0123456789abcdefghijklmnop"
QUICK = Timeouts(connect_s=2, first_token_s=0.4, between_s=0.3, total_s=2, lookup_s=2)
ROOMY = Timeouts()

OpenClient = Callable[..., ModelClient]


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as up:
        yield up


@pytest.fixture
async def outbound(upstream: ScriptedUpstream) -> AsyncIterator[OutboundClient]:
    async with OutboundClient([upstream.host]) as client:
        client.embed(upstream.base_url())
        yield client


@pytest.fixture(params=sorted(VENDORS))
def provider_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_type(upstream: ScriptedUpstream, outbound: OutboundClient) -> OpenClient:
    def open_type(type: str, timeouts: Timeouts = ROOMY, **settings: object) -> ModelClient:
        config = ProviderConfig("mine", type, upstream.base_url(type), KEY, read_settings(settings))
        return open_client(config, outbound, timeouts)

    return open_type


@pytest.fixture
def client(provider_type: str, open_type: OpenClient) -> ModelClient:
    return open_type(provider_type)


@pytest.fixture
def hasty(provider_type: str, open_type: OpenClient) -> ModelClient:
    """With limits that a test can wait for."""
    return open_type(provider_type, QUICK)
