from datetime import datetime

from goclaw.core.callers import Scope
from goclaw.core.paging import Page, PageRequest
from goclaw.models.activity import Activity
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.store.activity import activity_page
from goclaw.store.activity import count_activity as count_matching


@operation(Scope.READ)
async def list_activity(  # noqa: PLR0913, PLR0917 - doors read filters off the signature
    ctx: Context,
    page: PageRequest,
    actor_type: str | None = None,
    actor_id: str | None = None,
    action: str | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[Activity]:
    """What the caller did; everything for callers who see all. `since` is included, `until` is
    not.
    """
    return await activity_page(
        ctx.reads,
        page,
        actor_type=actor_type,
        actor_id=actor_id,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        since=since,
        until=until,
    )


@operation(Scope.READ)
async def count_activity(
    ctx: Context,
    actor_type: str | None = None,
    actor_id: str | None = None,
    action: str | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    return await count_matching(
        ctx.reads,
        actor_type=actor_type,
        actor_id=actor_id,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        since=since,
        until=until,
    )
