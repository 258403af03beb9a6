"""Random frames as each role, and random bodies: no error in the log, nothing left behind."""

import asyncio
import gc
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from goclaw.resolvers.services import Services
from tests.fuzz.bodies import requests, send
from tests.fuzz.budget import explore
from tests.fuzz.frames import hold, talks
from tests.fuzz.roles import Role, prepared
from tests.fuzz.tally import Tally
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

EXAMPLES = 30
MAX_GROWTH = 1.1
SETTLED_S = 10


def left(services: Services) -> tuple[int, ...]:
    """Tasks, sockets, subscriptions, runs."""
    return (
        len(asyncio.all_tasks()),
        len(services.sockets),
        len(services.subscriptions),
        services.hub.figures()["subscriptions"],
        len(services.runner.live),
    )


async def settled(services: Services, before: tuple[int, ...]) -> None:
    """Returns when nothing is left that was not there before."""
    try:
        async with asyncio.timeout(SETTLED_S):
            while any(now > then for now, then in zip(left(services), before, strict=True)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        tasks = [repr(task) for task in asyncio.all_tasks()]
        raise AssertionError((before, left(services), tasks)) from None


def both(url: str, role: Role, tally: Tally, examples: int = EXAMPLES) -> None:
    explore(talks(role), partial(hold, url, role, tally), examples=examples)
    explore(requests(role), partial(send, url, role, tally), examples=examples)


def bugs(logs: list[Any]) -> list[Any]:
    return [line for line in logs if line["log_level"] in ("error", "critical", "exception")]


@pytest.mark.slow
async def test_as_each_role(server: RunningServer, upstream: ScriptedUpstream) -> None:
    roles = await asyncio.to_thread(prepared, server.url, server.token, upstream)
    await asyncio.sleep(0.5)
    before, tally = left(server.services), Tally()
    with capture_logs() as logs:
        for role in roles.values():
            await asyncio.to_thread(both, server.url, role, tally)
            await settled(server.services, before)
    assert bugs(logs) == []
    answers = tally.answers["socket", "operator"]
    assert {"answered", "left", "4400"} <= set(answers), tally.lines()
    assert any(tally.answers["chat", role]["200"] for role in roles), "\n".join(tally.lines())


@pytest.mark.slow
async def test_it_leaves_no_objects_behind(
    server: RunningServer, upstream: ScriptedUpstream
) -> None:
    roles = await asyncio.to_thread(prepared, server.url, server.token, upstream)
    await asyncio.sleep(0.5)
    before, tally, counts = left(server.services), Tally(), []
    for _ in range(3):
        await asyncio.to_thread(both, server.url, roles["viewer"], tally)
        await settled(server.services, before)
        upstream.requests.clear()
        gc.collect()
        counts.append(len(gc.get_objects()))
    assert counts[-1] <= counts[0] * MAX_GROWTH, counts
