"""Chat completions: one call, one run that lives as long as its caller listens."""

from collections.abc import AsyncGenerator, Coroutine
from typing import Any
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, InvalidInput
from goclaw.models.chat import CalledTool, ChatMessage, ChatRequest, ContentPart, TextContent
from goclaw.providers.messages import (
    Delta,
    ImagePart,
    ModelMessage,
    ModelRequest,
    Part,
    Reply,
    TextPart,
    ToolCall,
    Usage,
)
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.resolvers.turns import Spoken, chat_target, new_turn
from goclaw.runtime.live import LiveRun, Turn
from goclaw.runtime.runner import Runner
from goclaw.store.targets import Target

__all__ = ["ChatRun", "Delta", "Reply", "Usage", "start_chat"]

PREFIXES = ("goclaw:", "agent:")
LEVELS = {
    "none": "off",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
}
"""OpenAI's words for how hard to think; absent, the agent's own level holds."""


class ChatRun:
    """A run whose question is committed; ask either for `reply` or for `deltas`, once."""

    def __init__(self, runner: Runner, run: LiveRun) -> None:
        self._runner = runner
        self._run = run
        self.id: UUID = run.id
        self.session_id = run.session_id
        self.created = int(run.started_at.timestamp())
        self.agent_key = run.turn.agent.key

    @property
    def has_acted(self) -> bool:
        """Whether asking again would do again what was done already."""
        return self._run.spent is not None and self._run.spent.model_calls > 0

    def reply(self) -> Coroutine[Any, Any, Reply]:
        """The whole answer. Raises UpstreamFailed, RateLimited, UpstreamTimeout, and Conflict
        when somebody cancelled the run.
        """
        return self._runner.complete(self._run)

    def deltas(self) -> AsyncGenerator[list[Delta], None]:
        """What the model says as it says it; raises like `reply`. Close it to cancel the run."""
        return self._runner.stream(self._run)


@operation(Scope.WRITE)
async def start_chat(ctx: Context, data: ChatRequest, agent: str | None = None) -> ChatRun:
    """`agent` is an id or key from a header; a prefixed `model` counts more.

    Raises NotFound for an unknown agent, InvalidInput for a message without content.
    """
    messages = [_message(message, index) for index, message in enumerate(data.messages)]
    spoken = Spoken.posted(messages)
    ref, or_default = _target(data.model, agent)
    row = await chat_target(ctx, ref, or_default=or_default)
    return ChatRun(ctx.services.runner, await _begin(ctx, row, spoken, data))


async def _begin(ctx: Context, row: Target, spoken: Spoken, data: ChatRequest) -> LiveRun:
    """In the session that holds what was said before; in a new one where none does, or
    another call took it first.
    """
    runner = ctx.services.runner
    if spoken.kept:
        try:
            return await runner.begin(await _turn(ctx, row, spoken, data, continues=True))
        except Conflict:
            pass
    return await runner.begin(await _turn(ctx, row, spoken, data, continues=False))


def _turn(
    ctx: Context, row: Target, spoken: Spoken, data: ChatRequest, *, continues: bool
) -> Coroutine[Any, Any, Turn]:
    options = _options(data)
    return new_turn(ctx, row, spoken, channel="http", continues=continues, options=options)


def _target(model: str, header: str | None) -> tuple[str, bool]:
    """The agent named, and whether the default one will do instead."""
    for prefix in PREFIXES:
        if model.startswith(prefix):
            return model.removeprefix(prefix), False
    return (header, False) if header else (model, True)


def _options(data: ChatRequest) -> ModelRequest:
    return ModelRequest(
        model="",
        messages=[],
        temperature=data.temperature,
        top_p=data.top_p,
        stop=[data.stop] if isinstance(data.stop, str) else data.stop,
        max_tokens=data.max_completion_tokens or data.max_tokens,
        response_format=data.response_format,
        seed=data.seed,
        presence_penalty=data.presence_penalty,
        frequency_penalty=data.frequency_penalty,
        tools=data.tools or None,
        tool_choice=data.tool_choice if data.tools else None,
        parallel_tool_calls=data.parallel_tool_calls if data.tools else None,
        logprobs=data.logprobs,
        top_logprobs=data.top_logprobs,
        thinking_level=LEVELS.get(data.reasoning_effort or ""),
    )


def _message(message: ChatMessage, index: int) -> ModelMessage:
    if message.role == "tool" and message.tool_call_id is None:
        raise InvalidInput("required", field=f"messages.{index}.tool_call_id")
    if not message.content and not message.tool_calls and message.role != "tool":
        raise InvalidInput("required", field=f"messages.{index}.content")
    return ModelMessage(
        message.role,
        _content(message.content),
        name=message.name,
        tool_calls=[_call(call) for call in message.tool_calls or ()],
        tool_call_id=message.tool_call_id,
    )


def _content(content: str | list[ContentPart] | None) -> str | list[Part]:
    if content is None or isinstance(content, str):
        return content or ""
    return [_part(part) for part in content]


def _part(part: ContentPart) -> Part:
    if isinstance(part, TextContent):
        return TextPart(part.text)
    return ImagePart(part.image_url.url, part.image_url.detail)


def _call(call: CalledTool) -> ToolCall:
    return ToolCall(call.id, call.function.name, call.function.arguments)
