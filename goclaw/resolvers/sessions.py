from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict
from goclaw.core.paging import Page, PageRequest
from goclaw.models.sessions import Message, MessageView, Session, SessionPatch, SessionView
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.errands import CHANNELS
from goclaw.resolvers.operation import operation
from goclaw.store.sessions import (
    count_messages as count_messages_of,
)
from goclaw.store.sessions import (
    count_sessions as count_visible_sessions,
)
from goclaw.store.sessions import (
    is_busy,
    messages_page,
    messages_until,
    remove_session,
    session_to_change,
    sessions_page,
)
from goclaw.store.sessions import (
    rename_session as set_label,
)

EXPORT_LIMIT = 10_000


@operation(Scope.READ)
async def get_session(ctx: Context, id: UUID) -> Session:
    return found(await ctx.sessions.load(id), "session", id)


@operation(Scope.READ)
async def list_sessions(
    ctx: Context, page: PageRequest, agent_id: UUID | None = None, *, with_tasks: bool = True
) -> Page[Session]:
    """`with_tasks`: also those in which agents carry out what other runs gave them."""
    return await sessions_page(ctx.reads, page, agent_id, _apart(with_tasks))


@operation(Scope.READ)
async def count_sessions(
    ctx: Context, agent_id: UUID | None = None, *, with_tasks: bool = True
) -> int:
    return await count_visible_sessions(ctx.reads, agent_id, _apart(with_tasks))


def _apart(with_tasks: bool) -> Collection[str]:
    return () if with_tasks else CHANNELS.values()


@operation(Scope.READ)
async def list_messages(ctx: Context, session_id: UUID, page: PageRequest) -> Page[Message]:
    """Newest first; none for a session the caller may not see. Sessions whose messages are
    asked for together share one statement.
    """
    if page.offset:
        return await messages_page(ctx.reads, page, session_id)
    return found(await ctx.messages_of_sessions(page).load(session_id), "session", session_id)


@operation(Scope.READ)
async def count_messages(ctx: Context, session_id: UUID) -> int:
    return await count_messages_of(ctx.reads, session_id)


@operation(Scope.READ)
async def export_session(ctx: Context, id: UUID) -> dict[str, Any]:
    """The session and its last 10,000 messages, oldest first, as JSON. Raises NotFound."""
    session = found(await ctx.sessions.load(id), "session", id)
    rows = await messages_until(ctx.reads, id, session.message_count, EXPORT_LIMIT)
    return {
        "exported_at": datetime.now(UTC).isoformat(),
        "session": SessionView.model_validate(session, from_attributes=True).model_dump(
            mode="json"
        ),
        "messages": [
            MessageView.model_validate(row, from_attributes=True).model_dump(mode="json")
            for row in rows
        ],
    }


@operation(Scope.WRITE)
async def update_session(ctx: Context, id: UUID, changes: SessionPatch) -> Session:
    """Raises NotFound."""
    async with ctx.db() as db:
        session = found(await session_to_change(db, id), "session", id)
        if "label" in changes.model_fields_set:
            await set_label(db, session, changes.label)
            ctx.announce(db, "session.updated", session, agent_id=session.agent_id)
    ctx.sessions.clear(id)
    return found(await ctx.sessions.load(id), "session", id)


@operation(Scope.WRITE)
async def delete_session(ctx: Context, id: UUID) -> UUID:
    """Its messages go, its traces stay. Raises NotFound, Conflict while it is answering."""
    async with ctx.db() as db:
        session = found(await session_to_change(db, id), "session", id)
        if await is_busy(db, session):
            raise Conflict("session_busy")
        await remove_session(db, session)
        ctx.announce(db, "session.deleted", session, agent_id=session.agent_id)
    ctx.sessions.clear(id)
    return id
