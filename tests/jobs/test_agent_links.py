"""Who makes links between agents, and who sees what came of tasks."""

from typing import Any
from uuid import UUID

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentCreate, AgentPatch
from goclaw.models.delegations import (
    AgentLinkCreate,
    AgentLinkPatch,
    DelegationStatus,
    LinkStatus,
)
from goclaw.resolvers.agent_links import (
    create_agent_link,
    delete_agent_link,
    list_agent_links,
    update_agent_link,
)
from goclaw.resolvers.agents import create_agent, delete_agent, update_agent
from goclaw.resolvers.delegations import (
    get_delegation,
    list_delegations,
)
from tests.jobs.firm import Firm, asks
from tests.support.callers import context


async def test_links_are_made_by_who_may_change_those_that_ask(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead"), await firm.hire("clerk", is_default=False)
    bob = context(firm.server.services, user_id="bob")
    with pytest.raises(NotFound):
        await create_agent_link(
            bob, AgentLinkCreate(source_agent_id=lead.id, target_agent_id=clerk.id)
        )
    link = await firm.link(lead, clerk)
    with pytest.raises(Conflict, match="linked already"):
        await firm.link(lead, clerk)
    with pytest.raises(InvalidInput, match="another agent"):
        await firm.link(lead, lead)
    with pytest.raises(NotFound):
        await delete_agent_link(bob, link.id)
    assert (await list_agent_links(bob, PageRequest(limit=10))).rows == []
    changes = AgentLinkPatch(status=LinkStatus.DISABLED, max_concurrent=1)
    changed = await update_agent_link(firm.ada, link.id, changes)
    assert (changed.status, changed.max_concurrent, changed.direction) == (
        "disabled",
        1,
        "outbound",
    )
    rows = (await list_agent_links(firm.ada.afresh(), PageRequest(limit=10), clerk.id)).rows
    assert [row.id for row in rows] == [link.id]
    await delete_agent(firm.ada, clerk.id)
    assert (await list_agent_links(firm.ada.afresh(), PageRequest(limit=10))).rows == []


async def test_a_shared_agent_is_linked_by_its_administrators_alone(firm: Firm) -> None:
    lead = await firm.hire("lead")
    admin = context(firm.server.services, "ada", Scope.ADMIN)
    await update_agent(admin, lead.id, AgentPatch(is_default=True))
    bob = context(firm.server.services, user_id="bob")
    own = await create_agent(
        bob, AgentCreate(key="bobs", provider_id=firm.provider.id, model="scripted-1")
    )
    with pytest.raises(Forbidden):
        await create_agent_link(
            bob, AgentLinkCreate(source_agent_id=lead.id, target_agent_id=own.id)
        )
    data = AgentLinkCreate(source_agent_id=own.id, target_agent_id=lead.id)
    assert (await create_agent_link(bob, data)).source_agent_id == own.id


async def test_nobody_else_sees_what_came_of_a_task(firm: Firm) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk)
    firm.says(asks("clerk"))
    await firm.ask(lead)
    (task,) = await firm.tasks()
    assert (await get_delegation(firm.ada, task.id)).status == DelegationStatus.COMPLETED
    bob = context(firm.server.services, user_id="bob")
    with pytest.raises(NotFound):
        await get_delegation(bob, task.id)
    assert (await list_delegations(bob, PageRequest(limit=10))).rows == []
    assert (await list_delegations(bob, PageRequest(limit=10), user_id="ada")).rows == []


async def test_a_task_whose_run_was_lost_has_failed(firm: Firm, sql: Any) -> None:
    lead, clerk = await firm.hire("lead", "delegate"), await firm.hire("clerk")
    await firm.link(lead, clerk)
    firm.says(asks("clerk"))
    await firm.ask(lead)
    (task,) = await firm.tasks()
    await sql(
        "update delegation_history set status = 'running', completed_at = null, run_id = $1,"
        " created_at = now() - interval '2 minutes'",
        UUID(int=7),
    )
    (lost,) = await firm.ended()
    assert (lost.id, lost.status, lost.error_code) == (task.id, "failed", "run_lost")
