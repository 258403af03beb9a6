"""Agents: who sees them, who may change them, and that a refused write changed nothing."""

from uuid import uuid4

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentCreate, AgentPatch, AgentView, ShareCreate, ShareRole
from goclaw.models.providers import Provider
from goclaw.resolvers.activity import list_activity
from goclaw.resolvers.agents import (
    count_agents,
    create_agent,
    delete_agent,
    get_agent,
    list_agents,
    list_shares,
    share_agent,
    unshare_agent,
    update_agent,
)
from goclaw.resolvers.context import Context
from goclaw.resolvers.providers import delete_provider
from goclaw.resolvers.services import Services
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


@pytest.fixture
async def provider(services: Services, upstream: ScriptedUpstream) -> Provider:
    return await add_provider(services, upstream)


@pytest.fixture
async def agent(services: Services, provider: Provider) -> AgentView:
    return await add_agent(services, provider)


async def keys(ctx: Context) -> list[str]:
    return [row.key for row in (await list_agents(ctx, PageRequest())).rows]


async def test_owner_sees_and_changes(services: Services, agent: AgentView) -> None:
    ctx = context(services)
    changed = await update_agent(ctx, agent.id, AgentPatch(display_name="Scribe"))
    assert changed.display_name == "Scribe"
    assert changed.system_prompt == agent.system_prompt
    assert await keys(ctx) == ["scribe", "default"]
    assert await count_agents(ctx) == 2


async def test_null_clears_and_absent_leaves_alone(services: Services, agent: AgentView) -> None:
    ctx = context(services)
    await update_agent(ctx, agent.id, AgentPatch(display_name="Scribe"))
    assert (await update_agent(ctx, agent.id, AgentPatch())).display_name == "Scribe"
    cleared = await update_agent(ctx, agent.id, AgentPatch(display_name=None))
    assert cleared.display_name is None


async def test_another_user_does_not_see_it(services: Services, agent: AgentView) -> None:
    bob = context(services, "bob")
    for refused in (
        get_agent(bob, agent.id),
        get_agent(bob, "scribe"),
        update_agent(bob, agent.id, AgentPatch(model="x")),
        delete_agent(bob, agent.id),
        share_agent(bob, agent.id, ShareCreate(user_id="bob")),
    ):
        with pytest.raises(NotFound):
            await refused
    assert await keys(bob) == ["default"]
    assert (await get_agent(context(services), agent.id)).model == "scripted-1"


async def test_a_share_lets_use_but_not_change(services: Services, agent: AgentView) -> None:
    bob = context(services, "bob")
    await share_agent(context(services), agent.id, ShareCreate(user_id="bob"))
    assert (await get_agent(bob, "scribe")).id == agent.id
    for refused in (
        update_agent(bob, agent.id, AgentPatch(model="x")),
        delete_agent(bob, agent.id),
        share_agent(bob, agent.id, ShareCreate(user_id="eve")),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert [s.user_id for s in await list_shares(bob, agent.id)] == ["bob"]


async def test_an_admin_share_lets_change(services: Services, agent: AgentView) -> None:
    bob = context(services, "bob")
    await share_agent(context(services), agent.id, ShareCreate(user_id="bob", role=ShareRole.ADMIN))
    assert (await update_agent(bob, agent.id, AgentPatch(model="x"))).model == "x"


async def test_a_share_taken_back_hides_it_again(services: Services, agent: AgentView) -> None:
    ada, bob = context(services), context(services, "bob")
    await share_agent(ada, agent.id, ShareCreate(user_id="bob"))
    await unshare_agent(ada, agent.id, "bob")
    with pytest.raises(NotFound):
        await get_agent(bob, "scribe")
    with pytest.raises(NotFound):
        await unshare_agent(ada, agent.id, "bob")


async def test_the_administrator_sees_all(services: Services, agent: AgentView) -> None:
    admin = context(services, None, Scope.ADMIN)
    assert await keys(admin) == ["scribe", "default"]
    await update_agent(admin, agent.id, AgentPatch(model="x"))


async def test_without_a_user_only_default_rows_are_seen(
    services: Services, agent: AgentView, provider: Provider
) -> None:
    nobody = context(services, None)
    assert await keys(nobody) == ["default"]
    with pytest.raises(InvalidInput):
        await create_agent(nobody, AgentCreate(key="mine", provider_id=provider.id, model="m"))


@pytest.mark.parametrize("scope", [Scope.READ, Scope.PAIRING, Scope.APPROVALS])
async def test_other_scopes_cannot_write(
    services: Services, agent: AgentView, scope: Scope
) -> None:
    ctx = context(services, "ada", scope)
    for refused in (
        create_agent(ctx, AgentCreate(key="more")),
        update_agent(ctx, agent.id, AgentPatch(model="x")),
        delete_agent(ctx, agent.id),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert await keys(context(services)) == ["scribe", "default"]


async def test_nobody_is_refused(services: Services) -> None:
    with pytest.raises(Unauthenticated):
        await list_agents(Context(services, None, "test"), PageRequest())


async def test_a_taken_key_is_a_conflict_until_its_agent_is_deleted(
    services: Services, agent: AgentView, provider: Provider
) -> None:
    bob = context(services, "bob")
    data = AgentCreate(key="scribe", provider_id=provider.id, model="m")
    with pytest.raises(Conflict) as taken:
        await create_agent(bob, data)
    assert taken.value.field == "key"
    await delete_agent(context(services), agent.id)
    await create_agent(bob, data)


async def test_an_unknown_provider_is_not_found(services: Services, agent: AgentView) -> None:
    ctx = context(services)
    with pytest.raises(NotFound):
        await create_agent(ctx, AgentCreate(key="more", provider_id=uuid4()))
    with pytest.raises(NotFound):
        await update_agent(ctx, agent.id, AgentPatch(provider_id=uuid4()))


async def test_without_a_provider_the_default_agents_is_taken(services: Services) -> None:
    made = await create_agent(context(services), AgentCreate(key="plain"))
    default = await get_agent(context(services), "default")
    assert (made.provider_id, made.model) == (default.provider_id, default.model)


async def test_only_an_administrator_chooses_the_default(
    services: Services, agent: AgentView
) -> None:
    with pytest.raises(Forbidden):
        await update_agent(context(services), agent.id, AgentPatch(is_default=True))
    admin = context(services, None, Scope.ADMIN)
    await update_agent(admin, agent.id, AgentPatch(is_default=True))
    rows = (await list_agents(admin, PageRequest())).rows
    assert [row.key for row in rows if row.is_default] == ["scribe"]


async def test_a_provider_in_use_stays(
    services: Services, agent: AgentView, provider: Provider
) -> None:
    ctx = context(services)
    with pytest.raises(Conflict):
        await delete_provider(ctx, provider.id)
    await delete_agent(ctx, agent.id)
    await delete_provider(ctx, provider.id)


async def test_changes_are_audited_with_their_actor(services: Services, agent: AgentView) -> None:
    ctx = context(services)
    await update_agent(ctx, agent.id, AgentPatch(model="x"))
    rows = (await list_activity(ctx, PageRequest(), entity_id=str(agent.id))).rows
    assert [(r.action, r.actor_id, r.ip_address) for r in rows] == [
        ("agent.updated", "ada", "127.0.0.1"),
        ("agent.created", "ada", "127.0.0.1"),
    ]
    assert (await list_activity(context(services, "bob"), PageRequest())).rows == []


async def test_search_takes_percent_signs_as_they_are(services: Services, agent: AgentView) -> None:
    ctx = context(services)
    assert (await list_agents(ctx, PageRequest(), search="SCRI")).rows[0].key == "scribe"
    assert not (await list_agents(ctx, PageRequest(), search="%")).rows
