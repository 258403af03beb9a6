"""Rows named by an id or by their slug, as paths of `/v1` may do."""

from uuid import UUID

from goclaw.core.errors import Conflict, Forbidden, InvalidInput
from goclaw.models.agents import Agent, AgentView, ShareRole
from goclaw.models.providers import Provider
from goclaw.models.shapes import storable
from goclaw.resolvers.context import Context, found
from goclaw.store.agents import administers, agent_by_key, agent_to_change
from goclaw.store.database import Db
from goclaw.store.providers import provider_by_name, provider_to_change

Ref = UUID | str
"""An id, or a slug. Text that reads as a UUID is an id."""


def as_id(ref: Ref) -> UUID | None:
    """None for a slug."""
    if isinstance(ref, UUID):
        return ref
    try:
        return UUID(ref)
    except ValueError:
        return None


def as_user_id(text: str) -> str:
    """Raises InvalidInput for text that no row can hold; a user nobody knows has no rows."""
    try:
        return storable(text)
    except ValueError as error:
        raise InvalidInput("invalid_input", field="user_id", reason=error) from error


async def agent_named(ctx: Context, ref: Ref) -> AgentView:
    """Raises NotFound."""
    id = as_id(ref)
    row = await agent_by_key(ctx.reads, str(ref)) if id is None else await ctx.agents.load(id)
    return found(row, "agent", ref)


async def administers_agent(ctx: Context, agent: AgentView) -> bool:
    """Whether the caller owns it or holds an admin share of it, whatever the key may do."""
    if ctx.caller.sees_all or agent.owner_id == ctx.caller.user_id:
        return True
    shares = await ctx.shares.load(agent.id) or []
    return any(
        share.user_id == ctx.caller.user_id and share.role == ShareRole.ADMIN for share in shares
    )


async def administered_agent(ctx: Context, id: UUID) -> AgentView:
    """Raises NotFound, and Forbidden when the caller may only use it."""
    agent = await agent_named(ctx, id)
    if not await administers_agent(ctx, agent):
        raise Forbidden("agent_not_yours")
    return agent


async def provider_named(ctx: Context, ref: Ref) -> Provider:
    """Raises NotFound."""
    id = as_id(ref)
    row = (
        await provider_by_name(ctx.reads, str(ref)) if id is None else await ctx.providers.load(id)
    )
    return found(row, "provider", ref)


async def changeable_agent(db: Db, id: UUID) -> Agent:
    """The row, locked. Raises NotFound, and Forbidden when the caller may only use it."""
    agent = found(await agent_to_change(db, id), "agent", id)
    if not await administers(db, agent):
        raise Forbidden("agent_not_yours")
    return agent


async def changeable_provider(db: Db, id: UUID) -> Provider:
    """The row, locked. Raises NotFound, and Conflict for one that no caller made."""
    provider = found(await provider_to_change(db, id), "provider", id)
    if provider.source != "api":
        raise Conflict("provider_read_only", name=provider.name, source=provider.source)
    return provider
