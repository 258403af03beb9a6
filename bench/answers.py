"""What the scripted upstream says; clients recognise and count it by `WORD`."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

WORD: Final = b"wrd"
"""Begins every delta and stands nowhere else."""

DELTAS: Final = 50
PACE_S: Final = 0.02
PACED: Final = b"at your own pace"
"""In a posted message: the stream is to be paced."""

LEISURE_S: Final = 0.1
LEISURELY: Final = b"with all the time in the world"
"""The same, so far apart."""

HOLD_S: Final = 5.0
HELD: Final = b"once you have thought it over"
"""The answer comes so late, all at once."""

PROBED: Final = b"how much of it you have heard"
"""The usage tells how many bytes came."""

TOOL: Final = "list_files"
"""What the vendor calls first wherever tools are offered to it."""

HEAD: Final[dict[str, Any]] = {"id": "chatcmpl-bench", "created": 1_700_000_000, "model": "bench-1"}
USAGE: Final = {"prompt_tokens": 12, "completion_tokens": DELTAS, "total_tokens": 12 + DELTAS}


TEXT: Final = " ".join(f"wrd{number}" for number in range(DELTAS))


def answer() -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": TEXT},
        "finish_reason": "stop",
    }
    return orjson.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def heard(size: int) -> bytes:
    """An answer that counts the bytes of the request as tokens of the prompt."""
    return orjson.dumps({
        **orjson.loads(answer()),
        "usage": {**USAGE, "prompt_tokens": size, "total_tokens": size + DELTAS},
    })  # fmt: skip


def call_of_tool() -> bytes:
    call = {"id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return orjson.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def streamed_call_of_tool() -> list[bytes]:
    function = {"name": TOOL, "arguments": "{}"}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    usage = _event({**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    delta = event({"role": "assistant", "tool_calls": [call]})
    return [delta, event({}, "tool_calls"), usage, b"data: [DONE]\n\n"]


def event(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event({**HEAD, "object": "chat.completion.chunk", "choices": [choice]})


def deltas() -> list[bytes]:
    return [event({"content": f"wrd{number} "}) for number in range(DELTAS)]


def ending() -> list[bytes]:
    usage = _event({**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    return [event({}, "stop"), usage, b"data: [DONE]\n\n"]


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
