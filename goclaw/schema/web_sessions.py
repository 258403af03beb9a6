from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.paging import page_request
from goclaw.models import web_sessions as models
from goclaw.resolvers.sign_in import (
    count_web_sessions,
    end_other_web_sessions,
    end_web_session,
    list_web_sessions,
)
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field, mutation
from goclaw.schema.info import Info
from goclaw.schema.words import In


@strawberry.type(description="A browser in which somebody signed in to the page.")
class WebSession:
    id: UUID = described("Its id; that of the caller's own is in `me`.")
    user_id: str | None = described("Whom it is signed in as.")
    key_id: UUID | None = described("The API key it was signed in with; null: the gateway token.")
    address: str | None = described("Where it was used last from.")
    user_agent: str | None = described("What the browser calls itself.")
    created_at: datetime = described("When it began.")
    last_seen_at: datetime = described("When it was used last, to a minute.")
    expires_at: datetime = described("When it ends at the latest; unused it ends before.")


@strawberry.input(description="The session to end.")
class EndWebSessionInput:
    id: UUID = described("Its id.")


@strawberry.input(description="Whose sessions to end.")
class EndOtherWebSessionsInput:
    user_id: str | None = described(
        "The user; null: the caller. Only an administrator reaches others.", default=None
    )


@strawberry.type(description="Sessions that have ended.")
class EndedWebSessions:
    ids: list[UUID] = described("Which; newest first.")


@dataclass(frozen=True, slots=True)
class Ended:
    """The row behind EndedWebSessions."""

    ids: list[UUID]


OfUser = Annotated[str | None, argument("Only those signed in as this user.")]


@strawberry.type
class WebSessionQuery:
    @field(Connection[WebSession], "Browsers the caller is signed in with, newest first.")
    async def web_sessions(
        self,
        info: Info,
        user_id: OfUser = None,
        first: First = DEFAULT_FIRST,
        after: After = None,
    ) -> Listed:
        page = await list_web_sessions(info.context, page_request(first, after), user_id)
        return listed(page, lambda: count_web_sessions(info.context, user_id))


@strawberry.type
class WebSessionMutation:
    @mutation(WebSession, "Signs a browser out at once.")
    async def end_web_session(self, info: Info, input: In[EndWebSessionInput]) -> models.WebSession:
        return await end_web_session(info.context, input.id)

    @mutation(EndedWebSessions, "Signs out all browsers of a user but the one that asks.")
    async def end_other_web_sessions(
        self, info: Info, input: In[EndOtherWebSessionsInput]
    ) -> Ended:
        return Ended(await end_other_web_sessions(info.context, input.user_id))
