"""What tools see of conversations: what the user of their run could see, of that agent alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson

from goclaw.core.callers import Caller, Scope, effective
from goclaw.models.sessions import Message, MessageRole, Session
from goclaw.models.shapes import now
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.runs import continue_session
from goclaw.resolvers.services import Services
from goclaw.store.sessions import (
    messages_until,
    session_by_key,
    sessions_lately,
    sessions_with_label,
)
from goclaw.tools.sessions import SENT_BY_TOOL, Conversation, Said
from goclaw.tools.tool import ToolContext

SCOPES: Final = effective(frozenset({Scope.WRITE}))
MOST_ALIKE: Final = 5
ROWS_READ: Final = 500
"""Of which calls of tools are left out, where they are."""
SPOKEN: Final = frozenset({MessageRole.USER, MessageRole.ASSISTANT})


@dataclass
class OwnConversations:
    """`services` are given once they are all there, as tools are among them."""

    services: Services | None = None

    def as_user(self, ctx: ToolContext) -> Context:
        """As a key would be that is bound to the user and the agent, whoever began the run."""
        assert self.services is not None
        caller = Caller(SCOPES, ctx.user_id, agent_ids=frozenset({ctx.agent_id}))
        return Context(self.services, caller, str(ctx.run_id))

    async def recent(
        self, ctx: ToolContext, limit: int, active_minutes: int | None
    ) -> Sequence[Conversation]:
        since = None if active_minutes is None else now() - timedelta(minutes=active_minutes)
        rows = await sessions_lately(self.as_user(ctx).reads, ctx.agent_id, since, limit)
        return [_conversation(row) for row in rows]

    async def with_key(self, ctx: ToolContext, key: str) -> Conversation | None:
        row = await session_by_key(self.as_user(ctx).reads, ctx.agent_id, ctx.user_id, key)
        return None if row is None else _conversation(row)

    async def with_label(self, ctx: ToolContext, label: str) -> Sequence[Conversation]:
        reads = self.as_user(ctx).reads
        rows = await sessions_with_label(reads, ctx.agent_id, label, MOST_ALIKE)
        return [_conversation(row) for row in rows]

    async def said(
        self, ctx: ToolContext, conversation: Conversation, limit: int, *, tools: bool
    ) -> Sequence[Said]:
        rows = await messages_until(
            self.as_user(ctx).reads, conversation.id, conversation.message_count, ROWS_READ
        )
        said = [_said(row) for row in rows if tools or (row.role in SPOKEN and row.content)]
        return said[-limit:]

    async def send(self, ctx: ToolContext, conversation: Conversation, text: str) -> UUID:
        user = self.as_user(ctx)
        session = found(await user.sessions.load(conversation.id), "session", conversation.id)
        return await continue_session(user, session, text, channel=SENT_BY_TOOL)


def _conversation(row: Session) -> Conversation:
    return Conversation(
        id=row.id,
        key=row.key,
        label=row.label,
        channel=row.channel,
        message_count=row.message_count,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        is_busy=row.lease_until is not None and row.lease_until > now(),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _said(row: Message) -> Said:
    if row.role == MessageRole.TOOL:
        return Said("tool", f"{row.name or 'result'}: {row.content}")
    calls = f"\n[calls {orjson.dumps(row.tool_calls).decode()}]" if row.tool_calls else ""
    return Said(row.role, f"{row.content}{calls}")
