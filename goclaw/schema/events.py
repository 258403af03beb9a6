from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from goclaw.resolvers.events import watch_events
from goclaw.schema.field import argument, described, subscription
from goclaw.schema.info import Info
from goclaw.schema.scalars import JSON


@strawberry.type(description="Something that happened.")
class Event:
    cursor: str = described("Give the last one as `after` to go on from there.")
    at: datetime = described("When it happened.")
    topic: str = described("What it is about: an entity, or `run:<id>`.")
    kind: str = described("What happened, as `entity.verb`.")
    user_id: str | None = described("The user it concerns.")
    agent_id: UUID | None = described("The agent it concerns.")
    payload: JSON = described("What changed; `id` is the id of the row.")


@strawberry.type
class EventSubscription:
    @subscription(Event, "Events the caller may see: those after `after`, in order, then live.")
    def events(
        self,
        info: Info,
        topics: Annotated[
            list[str] | None,
            argument("Only these: `agent`, `provider`, `api_key`, `session`, `user`, `run:<id>`."),
        ] = None,
        after: Annotated[
            str | None, argument("The last cursor that was seen; absent is from now on.")
        ] = None,
    ) -> AsyncIterator[Any]:
        return watch_events(info.context, topics, after)
