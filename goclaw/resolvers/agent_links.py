"""Which agents may ask which others: links, made by whoever may change those that ask."""

from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import InvalidInput
from goclaw.core.paging import Page, PageRequest
from goclaw.models.delegations import AgentLink, AgentLinkCreate, AgentLinkPatch, LinkDirection
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import agent_named, changeable_agent
from goclaw.store.agent_links import (
    add_agent_link,
    agent_link_to_change,
    agent_links_page,
    remove_agent_link,
    save_agent_link,
)
from goclaw.store.agent_links import count_agent_links as count_visible_links
from goclaw.store.database import Db


@operation(Scope.READ)
async def get_agent_link(ctx: Context, id: UUID) -> AgentLink:
    """Raises NotFound."""
    return found(await ctx.agent_links.load(id), "agent_link", id)


@operation(Scope.READ)
async def list_agent_links(
    ctx: Context, page: PageRequest, agent_id: UUID | None = None
) -> Page[AgentLink]:
    """Of one agent, at either end, or all that the caller may see."""
    return await agent_links_page(ctx.reads, page, agent_id)


@operation(Scope.READ)
async def count_agent_links(ctx: Context, agent_id: UUID | None = None) -> int:
    return await count_visible_links(ctx.reads, agent_id)


@operation(Scope.WRITE, bound=False)
async def create_agent_link(ctx: Context, data: AgentLinkCreate) -> AgentLink:
    """The caller has to administer the agents that may then ask, and see the others; whoever is
    asked works in the name of the user of the run, who has to be allowed to use it. Raises
    NotFound and Forbidden, InvalidInput for an agent and itself, Conflict for a link that is
    there already and for too many.
    """
    if data.source_agent_id == data.target_agent_id:
        raise InvalidInput("agent_itself", field="target_agent_id")
    for id in (data.source_agent_id, data.target_agent_id):
        await agent_named(ctx, id)
    link = AgentLink(**data.model_dump(), created_by=ctx.caller.actor)
    async with ctx.db() as db:
        await _check_askers(db, link, data.direction)
        await add_agent_link(db, link)
        _announce(ctx, db, "agent_link.created", link)
    return found(await ctx.agent_links.load(link.id), "agent_link", link.id)


@operation(Scope.WRITE, bound=False)
async def update_agent_link(ctx: Context, id: UUID, changes: AgentLinkPatch) -> AgentLink:
    """Raises like `create_agent_link`."""
    values = changes.changes()
    async with ctx.db() as db:
        link = found(await agent_link_to_change(db, id), "agent_link", id)
        await _check_askers(db, link, link.direction)
        link.sqlmodel_update(values)
        await _check_askers(db, link, link.direction)
        await save_agent_link(db, link)
        _announce(ctx, db, "agent_link.updated", link, changed=sorted(values))
    ctx.agent_links.clear(id)
    return found(await ctx.agent_links.load(id), "agent_link", id)


@operation(Scope.WRITE, bound=False)
async def delete_agent_link(ctx: Context, id: UUID) -> UUID:
    """Tasks that go on over it are not stopped. Raises NotFound, Forbidden."""
    async with ctx.db() as db:
        link = found(await agent_link_to_change(db, id), "agent_link", id)
        await _check_askers(db, link, link.direction)
        await remove_agent_link(db, link)
        _announce(ctx, db, "agent_link.deleted", link)
    ctx.agent_links.clear(id)
    return id


async def _check_askers(db: Db, link: AgentLink, direction: str) -> None:
    if direction != LinkDirection.INBOUND:
        await changeable_agent(db, link.source_agent_id)
    if direction != LinkDirection.OUTBOUND:
        await changeable_agent(db, link.target_agent_id)


def _announce(ctx: Context, db: Db, kind: str, link: AgentLink, **more: object) -> None:
    ctx.announce(
        db,
        kind,
        link,
        agent_id=link.source_agent_id,
        target_agent_id=str(link.target_agent_id),
        direction=link.direction,
        **more,
    )
