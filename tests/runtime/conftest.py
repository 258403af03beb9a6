"""A collector that tests look into."""

from collections.abc import AsyncIterator

import pytest

from goclaw.runtime import trace_export
from tests.support.otlp import CollectorDouble, running_collector


@pytest.fixture
async def double() -> AsyncIterator[CollectorDouble]:
    async with running_collector() as double:
        yield double


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "INTERVAL_S", 0.01)
    monkeypatch.setattr(trace_export, "FIRST_WAIT_S", 0.01)
