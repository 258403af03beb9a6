"""Agents that change hands: who may give them away, and who sees them afterwards."""

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, NotFound
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentTransfer, AgentView, ShareCreate, ShareRole
from goclaw.models.providers import Provider
from goclaw.resolvers.activity import list_activity
from goclaw.resolvers.agents import (
    delete_agent,
    get_agent,
    list_shares,
    share_agent,
    transfer_agent,
    transfer_agents,
)
from goclaw.resolvers.context import Context
from goclaw.resolvers.services import Services
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream

TO_BOB = AgentTransfer(user_id="bob")


@pytest.fixture
async def provider(services: Services, upstream: ScriptedUpstream) -> Provider:
    return await add_provider(services, upstream)


@pytest.fixture
async def agent(services: Services, provider: Provider) -> AgentView:
    return await add_agent(services, provider)


async def shares(ctx: Context, agent: AgentView) -> dict[str, str]:
    return {share.user_id: share.role for share in await list_shares(ctx, agent.id)}


async def test_the_owner_gives_an_agent_away(services: Services, agent: AgentView) -> None:
    ada, bob = context(services), context(services, "bob")
    await share_agent(ada, agent.id, ShareCreate(user_id="bob", role=ShareRole.USER))
    await share_agent(ada, agent.id, ShareCreate(user_id="eve"))

    given = await transfer_agent(ada, agent.id, TO_BOB)

    assert (given.owner_id, given.provider, given.key) == ("bob", "scripted", "scribe")
    assert await shares(bob.afresh(), agent) == {"eve": "user"}
    with pytest.raises(NotFound):
        await get_agent(ada.afresh(), agent.id)
    await delete_agent(bob.afresh(), agent.id)


async def test_the_old_owner_may_keep_an_admin_share(services: Services, agent: AgentView) -> None:
    ada = context(services)
    await transfer_agent(ada, agent.id, AgentTransfer(user_id="bob", keep_access=True))
    assert await shares(context(services, "bob"), agent) == {"ada": "admin"}
    assert (await get_agent(ada.afresh(), agent.id)).owner_id == "bob"


async def test_an_admin_share_is_not_enough(services: Services, agent: AgentView) -> None:
    ada, eve = context(services), context(services, "eve")
    await share_agent(ada, agent.id, ShareCreate(user_id="eve", role=ShareRole.ADMIN))
    with pytest.raises(Forbidden, match="only the owner"):
        await transfer_agent(eve, agent.id, AgentTransfer(user_id="eve"))
    assert (await get_agent(ada.afresh(), agent.id)).owner_id == "ada"


async def test_administrators_and_gateway_owners_give_any_agent(
    services: Services, agent: AgentView
) -> None:
    boss = context(services, None, Scope.ADMIN)
    assert (await transfer_agent(boss, agent.id, TO_BOB)).owner_id == "bob"
    owner = context(services, "olga", Scope.WRITE, is_owner=True)
    assert (await transfer_agent(owner, agent.id, AgentTransfer(user_id="ada"))).owner_id == "ada"


async def test_a_transfer_is_in_the_activity_and_one_to_oneself_is_nothing(
    services: Services, agent: AgentView
) -> None:
    ada, boss = context(services), context(services, None, Scope.ADMIN)
    await transfer_agent(ada, agent.id, AgentTransfer(user_id="ada", keep_access=True))
    assert await shares(ada.afresh(), agent) == {}
    await transfer_agent(ada, agent.id, TO_BOB)
    [row] = (await list_activity(boss, PageRequest(), action="agent.transferred")).rows
    assert (row.actor_id, row.entity_id) == ("ada", str(agent.id))
    assert row.details == {"key": "scribe", "from_user": "ada", "to_user": "bob"}


async def test_all_agents_of_a_user_at_once(services: Services, provider: Provider) -> None:
    mine = [await add_agent(services, provider, f"mine-{n}") for n in range(3)]
    gone = await add_agent(services, provider, "gone")
    await delete_agent(context(services), gone.id)
    await add_agent(services, provider, "other", "eve")
    boss = context(services, "olga", Scope.ADMIN)

    data = AgentTransfer(user_id="bob", keep_access=True)
    assert await transfer_agents(boss, "ada", data) == [agent.id for agent in mine]

    bob = context(services, "bob")
    assert [(await get_agent(bob, agent.id)).owner_id for agent in mine] == ["bob"] * 3
    assert await shares(bob, mine[0]) == {"ada": "admin"}
    assert await transfer_agents(boss, "ada", data) == []
    with pytest.raises(Forbidden):
        await transfer_agents(context(services, "ada", Scope.WRITE), "bob", TO_BOB)
