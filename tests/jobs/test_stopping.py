"""A server that stops, and its jobs."""

import asyncio
from typing import Any

import pytest

from goclaw.core.host import Host
from goclaw.resolvers.services import Services
from tests.support.server import running_server

ENDS_IN_S = 1.0


class SlowCarrier:
    """One that has much to put in order before it ends, and is broken off by a second cancel."""

    ended = False

    def __init__(self, _: Services) -> None:
        type(self).ended = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(ENDS_IN_S)
            type(self).ended = True


async def test_a_server_has_stopped_when_its_jobs_have(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left behind went on after the connections it needed were gone, and waited half a
    minute for others.
    """

    def carrier(_: str) -> Any:
        return SlowCarrier

    monkeypatch.setattr("goclaw.app.services.resolve_name", carrier)
    async with running_server(host):
        await asyncio.sleep(0.2)
    assert SlowCarrier.ended
