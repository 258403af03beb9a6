"""What goes to a model and what comes back, in no vendor's words but OpenAI's for tools."""

from dataclasses import dataclass, field
from typing import Any, Final

from goclaw.providers.attempts import Attempt, OnRetry

Json = dict[str, Any]

SYSTEM_ROLES: Final = frozenset({"system", "developer"})


@dataclass(slots=True)
class TextPart:
    text: str


@dataclass(slots=True)
class ImagePart:
    """`url` is http(s) or a data URL; `detail` is OpenAI's low, high or auto."""

    url: str
    detail: str | None = None

    def embedded(self) -> tuple[str, str] | None:
        """Media type and base64 of a data URL, None for an address."""
        head, comma, data = self.url.partition(",")
        if not comma or not head.startswith("data:") or not head.endswith(";base64"):
            return None
        return head[5:-7].partition(";")[0] or "image/png", data


Part = TextPart | ImagePart


@dataclass(slots=True)
class ToolCall:
    """`arguments` is JSON text as the model wrote it, perhaps not valid.

    `extra` is what a vendor wants back with the call (OpenAI's `extra_content`).
    """

    id: str
    name: str
    arguments: str
    extra: Json | None = None


@dataclass(slots=True)
class Thought:
    """Thinking as its vendor wants it back, word for word: only the `wire` it came by gets it.

    `signature` seals the text, `redacted` is sealed thinking without one. It stood behind the
    first `chars` characters of its message's text and the first `calls` of its tool calls.
    """

    wire: str
    text: str = ""
    signature: str = ""
    redacted: str = ""
    chars: int = 0
    calls: int = 0


@dataclass(slots=True)
class ModelMessage:
    """`tool_call_id` and, where known, `name` say which call a tool message answers; `is_error`
    that the call failed. `thoughts` are an assistant's, in order.
    """

    role: str
    content: str | list[Part] = ""
    name: str | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_call_id: str | None = None
    thoughts: list[Thought] = field(default_factory=list)
    is_error: bool = False

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def parts(self) -> list[Part]:
        if isinstance(self.content, str):
            return [TextPart(self.content)] if self.content else []
        return self.content

    @property
    def images(self) -> list[ImagePart]:
        if isinstance(self.content, str):
            return []
        return [part for part in self.content if isinstance(part, ImagePart)]


@dataclass(slots=True)
class ModelRequest:
    """`tools`, `tool_choice` and `response_format` are in OpenAI's form.

    `thinking_level` is off, low, medium or high, None the model's own way; a model that cannot
    think ignores it. Requests with one `cache_key` begin alike. `extra` is merged into the
    vendor's body as it is, last. `attempts` is filled by the client: it stays empty when the
    first call is answered, else the last one is the call that was, if any. `on_retry` is told
    before each further call.
    """

    model: str
    messages: list[ModelMessage]
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] | None = None
    max_tokens: int | None = None
    response_format: Json | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    tools: list[Json] | None = None
    tool_choice: str | Json | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    thinking_level: str | None = None
    cache_key: str | None = None
    extra: Json | None = None
    attempts: list[Attempt] = field(default_factory=list)
    on_retry: OnRetry | None = None


@dataclass(slots=True)
class Usage:
    """`input_tokens` has the cached and cache-written ones in it, `output_tokens` the reasoning."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class Delta:
    """One step of a stream. `tool_calls` are OpenAI's fragments; their `index` has no gaps.

    `thought` ends the thinking told in the steps before; its place is told by the steps, too.
    `model` is the vendor's word for itself, told with the finish reason if at all.
    """

    __slots__ = (
        "finish_reason",
        "logprobs",
        "model",
        "text",
        "thinking",
        "thought",
        "tool_calls",
        "usage",
    )

    def __init__(
        self,
        text: str = "",
        thinking: str = "",
        tool_calls: list[Json] | None = None,
        finish_reason: str | None = None,
        usage: Usage | None = None,
        logprobs: Json | None = None,
        thought: Thought | None = None,
        model: str = "",
    ) -> None:
        self.text = text
        self.thinking = thinking
        self.tool_calls = tool_calls
        self.finish_reason = finish_reason
        self.usage = usage
        self.logprobs = logprobs
        self.thought = thought
        self.model = model


@dataclass(slots=True)
class Reply:
    """`finish_reason` is stop, length, tool_calls or content_filter; `model` the vendor's word.

    `thinking` is for people, `thoughts` for the model's next turn.
    """

    content: str = ""
    thinking: str = ""
    thoughts: list[Thought] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str = "stop"
    usage: Usage | None = None
    model: str = ""
    logprobs: Json | None = None


@dataclass(slots=True)
class ProviderModel:
    id: str
    name: str
    context_tokens: int | None = None
