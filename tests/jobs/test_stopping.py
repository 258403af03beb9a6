"""A server that stops, and its jobs."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from goclaw.core.host import Host
from goclaw.jobs.carrier import raise_if_cancelled, stopped
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


class ForgetfulWorker:
    """As one that had not begun yet when it was told to stop."""

    def __init__(self) -> None:
        self.told = 0

    def stop(self) -> None:
        self.told += 1

    async def run(self) -> None:
        while self.told < 2:  # noqa: ASYNC110 - it is told by a count
            await asyncio.sleep(0.01)


async def test_workers_are_told_to_stop_until_they_do() -> None:
    worker: Any = ForgetfulWorker()
    async with asyncio.timeout(5):
        await stopped([worker], [asyncio.create_task(worker.run())])
    assert worker.told == 2


async def test_breaking_off_how_workers_end_cancels_them() -> None:
    worker: Any = ForgetfulWorker()
    working = asyncio.create_task(asyncio.sleep(60))
    ending = asyncio.create_task(stopped([worker], [working]))
    await asyncio.sleep(0.05)
    ending.cancel()
    await asyncio.wait([ending, working], timeout=5)
    assert working.cancelled()


async def test_a_cancellation_that_got_lost_is_found() -> None:
    async def losing() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        raise_if_cancelled()
        await asyncio.sleep(60)

    task = asyncio.create_task(losing())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
