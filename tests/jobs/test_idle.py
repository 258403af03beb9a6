"""A worker that has nothing to do does nothing."""

import asyncio
from typing import Any

import pytest
from psycopg import waiting

from goclaw.jobs.carrier import LOOK_S
from tests.support.server import RunningServer


async def test_who_waits_for_jobs_does_not_look_around_meanwhile(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, looks_s = waiting.wait_async, list[float]()

    async def noted(gen: Any, fileno: int, interval: float = 0.0, **others: Any) -> Any:
        looks_s.append(interval)
        return await wait(gen, fileno, interval, **others)

    monkeypatch.setattr(waiting, "wait_async", noted)
    async with asyncio.timeout(10):
        while len(looks_s) < 10:  # noqa: ASYNC110 - each lane asks for jobs once a second
            await asyncio.sleep(0.05)
    assert min(looks_s) >= LOOK_S
