"""What came of tasks that agents gave one another, as their users read it."""

from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.paging import Page, PageRequest
from goclaw.models.delegations import DelegationStatus, DelegationView
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import operation
from goclaw.store.delegations import count_delegations as count_matching
from goclaw.store.delegations import delegations_page


@operation(Scope.READ)
async def get_delegation(ctx: Context, id: UUID) -> DelegationView:
    """Raises NotFound."""
    return found(await ctx.delegations.load(id), "delegation", id)


@operation(Scope.READ)
async def list_delegations(
    ctx: Context,
    page: PageRequest,
    source_agent_id: UUID | None = None,
    target_agent_id: UUID | None = None,
    user_id: str | None = None,
    status: DelegationStatus | None = None,
    parent_run_id: UUID | None = None,
) -> Page[DelegationView]:
    """Newest first; of another user none, but for who sees all."""
    return await delegations_page(
        ctx.reads,
        page,
        source_agent_id=source_agent_id,
        target_agent_id=target_agent_id,
        user_id=user_id,
        status=status,
        parent_run_id=parent_run_id,
    )


@operation(Scope.READ)
async def count_delegations(
    ctx: Context,
    source_agent_id: UUID | None = None,
    target_agent_id: UUID | None = None,
    user_id: str | None = None,
    status: DelegationStatus | None = None,
    parent_run_id: UUID | None = None,
) -> int:
    return await count_matching(
        ctx.reads,
        source_agent_id=source_agent_id,
        target_agent_id=target_agent_id,
        user_id=user_id,
        status=status,
        parent_run_id=parent_run_id,
    )


@operation(Scope.READ)
async def list_child_delegations(ctx: Context, id: UUID) -> list[DelegationView]:
    """Tasks that came of a task, in the order they were given."""
    return await ctx.child_delegations.load(id) or []
