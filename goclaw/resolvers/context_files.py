"""The context files of agents, for whoever administers them."""

from collections.abc import Sequence
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.context_files import OWN
from goclaw.models.agents import Agent, AgentType
from goclaw.models.context_files import AgentContextFile, ContextFileWrite
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import (
    administered_agent,
    administers_agent,
    agent_named,
    changeable_agent,
)
from goclaw.runtime.context_files import PromptFiles, files_in_effect
from goclaw.runtime.starting_files import first_agent_files
from goclaw.store.context_files import (
    add_agent_files,
    agent_files,
    look_at_files,
    write_agent_file,
)
from goclaw.store.database import Db
from goclaw.store.targets import Target

NOT_SHOWN = "(shown to whoever administers this agent)"


@operation(Scope.READ)
async def list_context_files(ctx: Context, agent_id: UUID) -> Sequence[AgentContextFile]:
    """Raises NotFound, and Forbidden when the caller may only use the agent."""
    await administered_agent(ctx, agent_id)
    return await agent_files(ctx.reads, agent_id)


@operation(Scope.WRITE)
async def set_context_file(
    ctx: Context, agent_id: UUID, data: ContextFileWrite
) -> AgentContextFile:
    """Raises NotFound, Forbidden."""
    async with ctx.db() as db:
        agent = await changeable_agent(db, agent_id)
        row = await write_agent_file(db, agent_id, data.name, data.content)
        announce_file(ctx, db, agent, row)
    return row


def announce_file(ctx: Context, db: Db, agent: Agent, row: AgentContextFile) -> None:
    """Says which file, never what it holds."""
    ctx.announce(
        db,
        "agent.file_set",
        agent,
        agent_id=agent.id,
        name=row.file_name,
        characters=len(row.content),
    )


async def begin_files(db: Db, agent: Agent) -> None:
    """What an agent has itself from the beginning, where it is not there yet."""
    if agent.uses_context_files:
        await add_agent_files(db, agent.id, first_agent_files(agent.agent_type))


async def previewed_files(ctx: Context, agent: Target) -> PromptFiles | None:
    """As they hold for the caller, who need not have had first contact. What is confidential is
    left out for those who may only use the agent.
    """
    if not agent.uses_context_files:
        return None
    held = await look_at_files(ctx.services.database, agent.id, ctx.caller.actor)
    texts = files_in_effect(agent.agent_type, held)
    if agent.agent_type == AgentType.PREDEFINED:
        view = await agent_named(ctx, agent.id)
        if not await administers_agent(ctx, view):
            texts = {n: text if n in OWN else NOT_SHOWN for n, text in texts.items()}
    return PromptFiles(texts, meets=True)
