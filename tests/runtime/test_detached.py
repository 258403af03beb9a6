"""Runs that nobody waits for end in any case."""

import asyncio

import pytest

from goclaw.models.chat import SendMessage
from goclaw.models.runs import RunStatus
from goclaw.resolvers.runs import get_run, send_message
from goclaw.resolvers.services import Services
from goclaw.runtime.live import LiveRun
from goclaw.runtime.runner import Runner
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


async def test_one_that_is_cancelled_before_its_first_step_ends(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await add_agent(services, await add_provider(services, upstream))
    runs: list[LiveRun] = []
    detach = Runner.detach

    def and_cancelled(self: Runner, run: LiveRun) -> None:
        detach(self, run)
        run.cancel()
        runs.append(run)

    monkeypatch.setattr(Runner, "detach", and_cancelled)
    sent = await send_message(context(services), SendMessage(agent_id=agent.id, text="Hello?"))
    async with asyncio.timeout(10):
        await runs[0].ended()
    assert (await get_run(context(services), sent.id)).status == RunStatus.CANCELLED
    assert services.runner.live == {}
    assert upstream.requests == []
