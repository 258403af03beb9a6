"""Rows that are loaded together, for callers of whom some do not wait for them."""

import asyncio

import pytest

from goclaw.core.errors import Unavailable
from goclaw.core.ids import uuid7
from goclaw.models.agents import AgentView
from goclaw.resolvers.services import Services
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
async def test_a_load_that_was_cancelled_holds_up_no_other(
    services: Services, upstream: ScriptedUpstream, before: int, after: int
) -> None:
    """At each turn of the loop that may come between the first load, its end and the second."""
    agent = await add_agent(services, await add_provider(services, upstream))
    agents = context(services).agents
    given_up = asyncio.ensure_future(agents.load(agent.id))
    for _ in range(before):
        await asyncio.sleep(0)
    given_up.cancel()
    for _ in range(after):
        await asyncio.sleep(0)
    other = agents.load(uuid7())
    async with asyncio.timeout(5):
        assert await agents.load(agent.id) == agent
        assert await other is None


async def test_who_stops_waiting_takes_the_row_from_nobody_else(
    services: Services, upstream: ScriptedUpstream
) -> None:
    agent = await add_agent(services, await add_provider(services, upstream))
    agents = context(services).agents

    async def row() -> AgentView | None:
        return await agents.load(agent.id)

    given_up, waiting = asyncio.create_task(row()), asyncio.create_task(row())
    await asyncio.sleep(0)
    given_up.cancel()
    assert await waiting == agent
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_rows_that_cannot_be_loaded_are_an_error_to_those_who_wait(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = context(services).agents

    async def away(_: object) -> list[None]:
        raise Unavailable("database_unavailable", retry_after_s=2)

    monkeypatch.setattr(loader, "load_fn", away)
    given_up, waiting = loader.load(uuid7()), loader.load(uuid7())
    asyncio.ensure_future(given_up).cancel()
    with pytest.raises(Unavailable):
        await waiting
