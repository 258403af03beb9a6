"""What a scripted vendor does with one call."""

import json
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Call:
    """One tool call of a reply; `arguments` is JSON text, sent in `pieces` where streamed."""

    name: str
    arguments: str = "{}"
    id: str = "call_1"
    pieces: int = 3


def call(name: str, id: str = "call_1", pieces: int = 3, **arguments: Any) -> Call:
    return Call(name, json.dumps(arguments, ensure_ascii=False), id, pieces)


@dataclass(frozen=True)
class Usage:
    """`input` has `cached` and `written` (to the cache) in it, `output` has `reasoning`."""

    input: int = 12
    output: int = 7
    cached: int = 4
    reasoning: int = 0
    written: int = 0


@dataclass(frozen=True)
class Script:
    """Times are seconds. `cut_after` and `error_after` count deltas; the rest is self-evident."""

    text: str = "Hello from the scripted model."
    deltas: int = 3
    thinking: str = ""
    signature: str = "c2lnbmVk"
    """What seals the thinking, where the vendor seals it."""
    redacted: str = ""
    """Sealed thinking without text, behind the other; Anthropic only."""
    said_before: str = ""
    """Text in front of the tool calls, which else come without."""
    calls: tuple[Call, ...] = ()
    finish: Literal["stop", "length", "tool_calls", "content_filter"] | None = None
    usage: Usage | None = Usage()
    usage_unasked: bool = False
    """In OpenAI's streams: usage without `include_usage`, as Mistral does."""

    head_after: float = 0
    """Wait before the head of the answer."""
    first_after: float = 0
    """Wait between the head and the first delta."""
    every: float = 0
    """Wait between deltas."""

    status: int = 200
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None
    """Sent instead of an answer, with `content_type`."""
    content_type: str = "text/html"

    silent: bool = False
    """Never answers."""
    beats: float | None = None
    """Comments of a stream so far apart, and nothing else."""
    drop: bool = False
    """Closes the connection instead of answering."""
    cut_after: int | None = None
    abort: bool = False
    """A cut breaks the connection instead of ending the stream cleanly."""
    error_after: int | None = None
    """An error object instead of the next delta."""

    keep_alives: bool = False
    """Comments and empty deltas between the deltas."""
    split: int | None = None
    """Writes of so many bytes, wherever that cuts."""
    burst: bool = False
    """The whole stream in one write."""
    crlf: bool = False
    blank: bool = True
    """`data: x` rather than `data:x`."""

    @property
    def reason(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")


def pieces(text: str, count: int) -> list[str]:
    """As even as possible, never an empty one."""
    count = max(1, min(count, len(text)))
    size, rest = divmod(len(text), count)
    out, start = [], 0
    for number in range(count):
        end = start + size + (number < rest)
        out.append(text[start:end])
        start = end
    return [piece for piece in out if piece]
