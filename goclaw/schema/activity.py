from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.paging import page_request
from goclaw.resolvers.activity import count_activity, list_activity
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field
from goclaw.schema.info import Info
from goclaw.schema.scalars import JSON


@strawberry.type(description="One change, and who made it.")
class Activity:
    id: UUID = described("Its id.")
    actor_type: str = described("`user` or `system`.")
    actor_id: str = described("Who did it.")
    action: str = described("What was done, as `entity.verb`.")
    entity_type: str | None = described("What it was done to.")
    entity_id: str | None = described("The id of that.")
    details: JSON | None = described("What else is known about it.")
    ip_address: str | None = described("The address it came from.")
    created_at: datetime = described("When it was done.")


@strawberry.type
class ActivityQuery:
    @field(Connection[Activity], "What the caller did; everything for an administrator.")
    async def activity(  # noqa: PLR0913, PLR0917 - as many filters
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        actor_type: Annotated[str | None, argument("Only of this kind of actor.")] = None,
        actor_id: Annotated[str | None, argument("Only of this actor.")] = None,
        action: Annotated[str | None, argument("Only this action.")] = None,
        entity_type: Annotated[str | None, argument("Only on this kind of thing.")] = None,
        entity_id: Annotated[str | None, argument("Only on the thing with this id.")] = None,
        since: Annotated[
            datetime | None, argument("Only from this instant on.", name="from")
        ] = None,
        until: Annotated[datetime | None, argument("Only before this instant.", name="to")] = None,
    ) -> Listed:
        wanted = (actor_type, actor_id, action, entity_type, entity_id, since, until)
        page = await list_activity(info.context, page_request(first, after), *wanted)
        return listed(page, lambda: count_activity(info.context, *wanted))
