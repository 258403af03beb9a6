"""The tools for conversations: the user's own with this agent, never anybody else's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from goclaw.tools.tool import Tool, ToolContext, ToolResult

CATEGORY: Final = "sessions"
SENT_BY_TOOL: Final = "session"
"""The channel of a run that another conversation's agent asked for."""
MAX_MESSAGE_CHARS: Final = 4_000
MAX_CHARS: Final = 40_000
"""Of all messages that are told at once; the newest are kept."""

Key = Annotated[str, Field(min_length=1, max_length=500, description="As sessions_list tells it.")]


class SessionsList(BaseModel):
    limit: int = Field(default=20, ge=1, le=100)
    active_minutes: int | None = Field(
        default=None, ge=1, le=525_600, description="Only those used within so many minutes."
    )


class SessionStatus(BaseModel):
    session_key: Key | None = Field(default=None, description="This conversation when left out.")


class SessionsHistory(BaseModel):
    session_key: Key
    limit: int = Field(default=20, ge=1, le=200)
    include_tools: bool = Field(default=False, description="Also calls of tools, and results.")


class SessionsSend(BaseModel):
    session_key: Key | None = Field(default=None, description="Either this or label.")
    label: str | None = Field(default=None, min_length=1, max_length=500)
    message: str = Field(min_length=1, max_length=32_000)


@dataclass(frozen=True, slots=True)
class Conversation:
    id: UUID
    key: str
    label: str | None
    channel: str
    message_count: int
    input_tokens: int
    output_tokens: int
    is_busy: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    role: str
    text: str


class Conversations(Protocol):
    """All of it as the user of the context, and with the agent of the context alone."""

    async def recent(
        self, ctx: ToolContext, limit: int, active_minutes: int | None
    ) -> Sequence[Conversation]:
        """Last used first."""
        ...

    async def with_key(self, ctx: ToolContext, key: str) -> Conversation | None: ...

    async def with_label(self, ctx: ToolContext, label: str) -> Sequence[Conversation]: ...

    async def said(
        self, ctx: ToolContext, conversation: Conversation, limit: int, *, tools: bool
    ) -> Sequence[Said]:
        """The last messages, oldest first."""
        ...

    async def send(self, ctx: ToolContext, conversation: Conversation, text: str) -> UUID:
        """The run that answers, on channel SENT_BY_TOOL. Raises GatewayError."""
        ...


class SessionTools:
    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def tools(self) -> list[Tool]:
        return [
            Tool(
                "sessions_list",
                "Lists the user's conversations with you, last used first.",
                CATEGORY,
                SessionsList,
                self.list,
            ),
            Tool(
                "session_status",
                "Tells of one of the user's conversations with you: messages, tokens, times.",
                CATEGORY,
                SessionStatus,
                self.status,
            ),
            Tool(
                "sessions_history",
                "Reads the last messages of one of the user's conversations with you.",
                CATEGORY,
                SessionsHistory,
                self.history,
            ),
            Tool(
                "sessions_send",
                "Says something in another of the user's conversations with you, as the user. "
                "The answer is given there, not here.",
                CATEGORY,
                SessionsSend,
                self.send,
            ),
        ]

    async def list(self, ctx: ToolContext, wanted: SessionsList) -> ToolResult:
        rows = await self._conversations.recent(ctx, wanted.limit, wanted.active_minutes)
        sessions = [
            {
                "key": row.key,
                "label": row.label,
                "message_count": row.message_count,
                "updated": row.updated_at,
            }
            for row in rows
        ]
        return _json({"count": len(sessions), "sessions": sessions})

    async def status(self, ctx: ToolContext, wanted: SessionStatus) -> ToolResult:
        key = wanted.session_key or ctx.session_key
        row = await self._conversations.with_key(ctx, key)
        if row is None:
            return _unknown(key)
        return _json(
            {
                "key": row.key,
                "label": row.label,
                "channel": row.channel,
                "messages": row.message_count,
                "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens,
                "answering": row.is_busy,
                "created": row.created_at,
                "updated": row.updated_at,
            }
        )

    async def history(self, ctx: ToolContext, wanted: SessionsHistory) -> ToolResult:
        row = await self._conversations.with_key(ctx, wanted.session_key)
        if row is None:
            return _unknown(wanted.session_key)
        said = await self._conversations.said(ctx, row, wanted.limit, tools=wanted.include_tools)
        return _json({"messages": _newest(said)})

    async def send(self, ctx: ToolContext, wanted: SessionsSend) -> ToolResult:
        """One that was itself sent so sends nothing on: two agents would never come to an end."""
        if ctx.channel == SENT_BY_TOOL:
            text = "This message came from another conversation; from here none can be sent on."
            return ToolResult(text, is_error=True)
        if (wanted.session_key is None) == (wanted.label is None):
            return ToolResult("Give either session_key or label.", is_error=True)
        found = await self._meant(ctx, wanted)
        if isinstance(found, ToolResult):
            return found
        if found.id == ctx.session_id:
            return ToolResult("That is this conversation; just answer.", is_error=True)
        run_id = await self._conversations.send(ctx, found, wanted.message)
        return _json({"accepted": True, "session_key": found.key, "run_id": run_id})

    async def _meant(self, ctx: ToolContext, wanted: SessionsSend) -> Conversation | ToolResult:
        if wanted.session_key is not None:
            row = await self._conversations.with_key(ctx, wanted.session_key)
            return row or _unknown(wanted.session_key)
        rows = await self._conversations.with_label(ctx, wanted.label or "")
        if len(rows) > 1:
            keys = ", ".join(row.key for row in rows)
            return ToolResult(
                f"Several have that label; name one by its key: {keys}", is_error=True
            )
        return rows[0] if rows else _unknown(wanted.label or "")


def _unknown(name: str) -> ToolResult:
    return ToolResult(f"There is no conversation {name!r}.", is_error=True)


def _newest(said: Sequence[Said]) -> list[dict[str, str]]:
    kept: list[dict[str, str]] = []
    left = MAX_CHARS
    for message in reversed(said):
        text = message.text
        if len(text) > MAX_MESSAGE_CHARS:
            text = f"{text[:MAX_MESSAGE_CHARS]} [cut: {len(message.text)} characters in all]"
        left -= len(text)
        if left < 0:
            break
        kept.append({"role": message.role, "content": text})
    return kept[::-1]


def _json(value: Any) -> ToolResult:
    return ToolResult(orjson.dumps(value).decode())
