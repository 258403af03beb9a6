from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, InvalidInput, NotFound
from goclaw.core.paging import Page, PageRequest
from goclaw.models.agents import (
    Agent,
    AgentCreate,
    AgentPatch,
    AgentPreview,
    AgentShare,
    AgentTransfer,
    AgentType,
    AgentView,
    ShareCreate,
    ShareRole,
)
from goclaw.models.shapes import now
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.context_files import begin_files, previewed_files
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import (
    Ref,
    administers_agent,
    agent_named,
    as_user_id,
    changeable_agent,
    provider_named,
)
from goclaw.runtime.prompt import system_prompt
from goclaw.store.agent_links import remove_agent_links_of
from goclaw.store.agents import (
    agents_of,
    agents_page,
    default_agent,
    remove_agent,
    remove_share,
    save_agent,
    save_share,
    view_of,
)
from goclaw.store.agents import (
    count_agents as count_visible_agents,
)
from goclaw.store.agents import transfer_agent as give_away
from goclaw.store.context_files import remove_context_of
from goclaw.store.cron import remove_cron_jobs_of
from goclaw.store.database import Db

PREVIEWED: Final = frozenset({"system_prompt", "tools_config"})


@operation(Scope.READ)
async def get_agent(ctx: Context, id: Ref) -> AgentView:
    return await agent_named(ctx, id)


@operation(Scope.READ)
async def list_agents(
    ctx: Context, page: PageRequest, search: str | None = None
) -> Page[AgentView]:
    """`search` is a part of the key or the name shown, in any case."""
    return await agents_page(ctx.reads, page, search)


@operation(Scope.READ)
async def count_agents(ctx: Context, search: str | None = None) -> int:
    return await count_visible_agents(ctx.reads, search)


@operation(Scope.WRITE, bound=False)
async def create_agent(ctx: Context, data: AgentCreate) -> AgentView:
    """Raises NotFound for an unknown provider, Conflict for a taken key, InvalidInput without
    a model when the provider is not the default agent's, Forbidden to make a default unless admin.
    """
    owner = ctx.user_id
    values = data.model_dump() | await _provider_and_model(ctx, data)
    if data.uses_context_files is None:
        values["uses_context_files"] = data.agent_type == AgentType.PREDEFINED
    _guard_default(ctx, chosen=data.is_default)
    async with ctx.db() as db:
        agent = await save_agent(db, Agent(**values, owner_id=owner))
        await begin_files(db, agent)
        ctx.announce(db, "agent.created", agent, agent_id=agent.id, key=agent.key)
    return found(await ctx.agents.load(agent.id), "agent", agent.id)


async def _provider_and_model(ctx: Context, data: AgentCreate) -> dict[str, Any]:
    if data.provider_id is not None:
        await provider_named(ctx, data.provider_id)
        return {}
    default = await default_agent(ctx.reads)
    if default is None:
        raise InvalidInput("required", field="provider_id")
    return {"provider_id": default.provider_id, "model": data.model or default.model}


def _guard_default(ctx: Context, *, chosen: bool) -> None:
    """Everybody sees the default agent, so choosing it is the administrator's."""
    if chosen and Scope.ADMIN not in ctx.caller.scopes:
        raise Forbidden("scope_missing", field="is_default", scope=Scope.ADMIN)


@operation(Scope.WRITE)
async def update_agent(ctx: Context, id: UUID, changes: AgentPatch) -> AgentView:
    """Raises NotFound for an unknown agent or provider, Forbidden for another's agent or to
    choose the default without being admin, Conflict for a taken key.
    """
    values = changes.changes()
    async with ctx.db() as db:
        agent = await changeable_agent(db, id)
        _guard_default(ctx, chosen=not agent.is_default and bool(values.get("is_default")))
        kind = (agent.agent_type, agent.uses_context_files)
        agent.sqlmodel_update(values)
        await save_agent(db, agent)
        if kind != (agent.agent_type, agent.uses_context_files):
            await begin_files(db, agent)
        ctx.announce(
            db, "agent.updated", agent, agent_id=agent.id, key=agent.key, changed=sorted(values)
        )
    ctx.agents.clear(id)
    return found(await ctx.agents.load(id), "agent", id)


@operation(Scope.WRITE)
async def delete_agent(ctx: Context, id: UUID) -> UUID:
    """Its sessions and traces stay, its cron jobs and links go, its key is free again. Raises
    NotFound, Forbidden.
    """
    async with ctx.db() as db:
        agent = await changeable_agent(db, id)
        await let_go(ctx, db, agent)
        ctx.announce(db, "agent.deleted", agent, agent_id=agent.id, key=agent.key)
    ctx.agents.clear(id)
    return id


async def let_go(ctx: Context, db: Db, agent: Agent) -> None:
    """Deletes an agent with the cron jobs that ask it, its links and its context files, whoever's
    they are.
    """
    for job in await remove_cron_jobs_of(db, agent.id):
        ctx.announce(db, "cron_job.deleted", job, agent_id=agent.id, name=job.name)
    for link in await remove_agent_links_of(db, agent.id):
        ctx.announce(db, "agent_link.deleted", link, agent_id=link.source_agent_id)
    await remove_context_of(db, agent.id)
    await remove_agent(db, agent)


@operation(Scope.READ)
async def list_shares(ctx: Context, id: UUID) -> list[AgentShare]:
    """All of them for whoever administers the agent, else the caller's own."""
    await agent_named(ctx, id)
    return await ctx.shares.load(id) or []


@operation(Scope.READ)
async def may_change_agent(ctx: Context, id: UUID) -> bool:
    """Whether the caller could; agents that are asked about together share two statements."""
    agent = await agent_named(ctx, id)
    return Scope.WRITE in ctx.caller.scopes and await administers_agent(ctx, agent)


@operation(Scope.READ)
async def preview_agent(ctx: Context, id: UUID, changes: AgentPatch) -> AgentPreview:
    """As if those changes held already; of them prompt and tools count. Raises NotFound."""
    stored = await ctx.services.targets.find(ctx.reads, id=id, key="", or_default=False)
    agent = found(stored, "agent", id)
    shown = {name: value for name, value in changes.changes().items() if name in PREVIEWED}
    agent = replace(agent, **shown)
    toolbox = await ctx.services.toolboxes.toolbox(agent, ctx.caller.actor)
    names = [] if toolbox is None else toolbox.names
    files = await previewed_files(ctx, agent)
    return AgentPreview(system_prompt(agent, toolbox, now().date(), files), names)


@operation(Scope.WRITE)
async def share_agent(ctx: Context, id: UUID, data: ShareCreate) -> AgentShare:
    """Adds a share or changes its role. Raises NotFound, Forbidden."""
    async with ctx.db() as db:
        agent = await changeable_agent(db, id)
        share = await save_share(
            db, AgentShare(agent_id=id, **data.model_dump(), granted_by=ctx.caller.actor)
        )
        ctx.announce(db, "agent.shared", agent, agent_id=id, with_user=data.user_id, role=data.role)
    ctx.shares.clear(id)
    return share


@operation(Scope.WRITE)
async def unshare_agent(ctx: Context, id: UUID, user_id: str) -> UUID:
    """Gives the id of the share that went. Raises NotFound when there was none, Forbidden."""
    async with ctx.db() as db:
        agent = await changeable_agent(db, id)
        share_id = await remove_share(db, id, user_id)
        if share_id is None:
            raise NotFound("share_not_found", user_id=user_id)
        ctx.announce(db, "agent.unshared", agent, agent_id=id, with_user=user_id)
    ctx.shares.clear(id)
    return share_id


@operation(Scope.WRITE)
async def transfer_agent(ctx: Context, id: UUID, data: AgentTransfer) -> AgentView:
    """Gives the agent to another user; shares with others stay. A caller who loses sight of it
    by that is told how it left. Raises NotFound, Forbidden for all but the owner and callers
    who see all.
    """
    async with ctx.db() as db:
        agent = await changeable_agent(db, id)
        if not ctx.caller.sees_all and agent.owner_id != ctx.caller.user_id:
            raise Forbidden("agent_not_owned")
        await _transfer(ctx, db, agent, data)
        left = await view_of(db, agent)
    ctx.agents.clear(id)
    ctx.shares.clear(id)
    return left


@operation(Scope.ADMIN)
async def transfer_agents(ctx: Context, user_id: str, data: AgentTransfer) -> list[UUID]:
    """Gives all agents of a user to another one, in one transaction; tells which."""
    async with ctx.db() as db:
        agents = await agents_of(db, as_user_id(user_id))
        for agent in agents:
            await _transfer(ctx, db, agent, data)
    for agent in agents:
        ctx.agents.clear(agent.id)
        ctx.shares.clear(agent.id)
    return [agent.id for agent in agents]


async def _transfer(ctx: Context, db: Db, agent: Agent, data: AgentTransfer) -> None:
    """Nothing changes, and nothing is announced, for who owns it already."""
    before = agent.owner_id
    if before == data.user_id:
        return
    await give_away(db, agent, data.user_id)
    if data.keep_access:
        share = ShareCreate(user_id=before, role=ShareRole.ADMIN)
        await save_share(
            db, AgentShare(agent_id=agent.id, **share.model_dump(), granted_by=ctx.caller.actor)
        )
    ctx.announce(
        db,
        "agent.transferred",
        agent,
        agent_id=agent.id,
        key=agent.key,
        from_user=before,
        to_user=data.user_id,
    )
