"""What a worker does besides answering."""

import asyncio
from datetime import timedelta

import pytest

from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.services import Services
from goclaw.runtime.retention import Retention
from goclaw.runtime.rollup import Rollup
from goclaw.runtime.upkeep import Upkeep
from tests.runtime.test_chat_runs import said
from tests.runtime.test_retention import ask
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

HEARTBEAT = "select max(heartbeat_at) from runs where status = 'running'"


class Endless(Retention):
    """A night with so much to delete that it takes until morning."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def run_if_due(self) -> None:
        self.began.set()
        await asyncio.Event().wait()


async def test_runs_live_on_while_old_rows_are_deleted(
    services: Services, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goclaw.runtime.upkeep.BEAT_S", 0.01)
    await add_agent(services, await add_provider(services, upstream))
    upstream.reply("Hello.", first_after=3)
    run = await start_chat(context(services), said(("user", "Hello?")))
    night, day = Endless(), timedelta(days=1)
    upkeep = Upkeep(
        services.database,
        services.runner,
        Rollup(services.database),
        night,
        keep_events=day,
        session_idle=day,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for work in (upkeep.tidy, upkeep.beat)]
        await night.began.wait()
        before = await ask(services.host.dsn, HEARTBEAT)
        async with asyncio.timeout(10):
            while await ask(services.host.dsn, HEARTBEAT) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
    await run.reply()
