"""The users whom an agent with context files has met, and what it knows of them."""

from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.context_files import USER
from goclaw.core.paging import Page, PageRequest
from goclaw.models.agents import Agent
from goclaw.models.context_files import (
    AgentInstance,
    AgentInstanceView,
    InstanceFacts,
    InstanceFileWrite,
    UserContextFile,
)
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import administered_agent, changeable_agent
from goclaw.runtime.context_files import first_user_files
from goclaw.store.agent_instances import count_instances, instances_page, merge_facts
from goclaw.store.context_files import (
    agent_files,
    begin_instance,
    instance_to_change,
    write_user_file,
)
from goclaw.store.database import Db


@operation(Scope.READ)
async def list_agent_instances(
    ctx: Context, page: PageRequest, agent_id: UUID
) -> Page[AgentInstanceView]:
    """All of them for whoever administers the agent, else the caller's own; those that were met
    last come first.
    """
    return await instances_page(ctx.reads, page, agent_id)


@operation(Scope.READ)
async def count_agent_instances(ctx: Context, agent_id: UUID) -> int:
    return await count_instances(ctx.reads, agent_id)


@operation(Scope.READ)
async def get_agent_instance(ctx: Context, id: UUID) -> AgentInstanceView:
    """Raises NotFound."""
    return found(await ctx.instances.load(id), "agent_instance", id)


@operation(Scope.READ)
async def list_instance_files(ctx: Context, id: UUID) -> list[UserContextFile]:
    """Those of one user with one agent."""
    return await ctx.instance_files.load(id) or []


@operation(Scope.WRITE)
async def set_instance_file(
    ctx: Context, agent_id: UUID, data: InstanceFileWrite
) -> UserContextFile:
    """USER.md, also for a user whom the agent has not met yet. Raises NotFound, Forbidden."""
    await _begin(ctx, agent_id, data.user_id)
    async with ctx.db() as db:
        agent = await changeable_agent(db, agent_id)
        instance = await _instance(db, agent_id, data.user_id)
        row = await write_user_file(db, agent_id, data.user_id, USER, data.content)
        announce_user_file(ctx, db, agent, instance, row)
    ctx.instance_files.clear(instance.id)
    return row


def announce_user_file(
    ctx: Context, db: Db, agent: Agent, instance: AgentInstance, row: UserContextFile
) -> None:
    """Says which file, never what it holds."""
    ctx.announce(
        db,
        "agent_instance.file_set",
        instance,
        agent_id=agent.id,
        of_user=instance.user_id,
        name=row.file_name,
        characters=len(row.content),
    )


@operation(Scope.WRITE)
async def update_agent_instance(
    ctx: Context, agent_id: UUID, data: InstanceFacts
) -> AgentInstanceView:
    """Raises NotFound for an agent or user that is not there, Forbidden, Conflict for too many
    facts.
    """
    async with ctx.db() as db:
        agent = await changeable_agent(db, agent_id)
        instance = await _instance(db, agent_id, data.user_id)
        await merge_facts(db, instance, data.metadata)
        ctx.announce(
            db,
            "agent_instance.updated",
            instance,
            agent_id=agent.id,
            of_user=instance.user_id,
            changed=sorted(data.metadata),
        )
    ctx.instances.clear(instance.id)
    return found(await ctx.instances.load(instance.id), "agent_instance", instance.id)


async def _begin(ctx: Context, agent_id: UUID, user_id: str) -> None:
    """As at first contact, for a user who may have had it."""
    agent = await administered_agent(ctx, agent_id)
    rows = await agent_files(ctx.reads, agent_id)
    files = first_user_files(agent.agent_type, {row.file_name: row.content for row in rows})
    await begin_instance(ctx.services.database, agent_id, user_id, files)
    ctx.services.hub.wake()


async def _instance(db: Db, agent_id: UUID, user_id: str) -> AgentInstance:
    return found(await instance_to_change(db, agent_id, user_id), "agent_instance", user_id)
