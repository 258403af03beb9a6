"""What the scripted upstream says; clients recognise and count it by `WORD`."""

from typing import Any, Final

import orjson

WORD: Final = b"wrd"
"""Begins every delta and stands nowhere else."""

DELTAS: Final = 50
PACE_S: Final = 0.02
PACED: Final = b"at your own pace"
"""In a posted message: the stream is to be paced."""

HEAD: Final[dict[str, Any]] = {"id": "chatcmpl-bench", "created": 1_700_000_000, "model": "bench-1"}
USAGE: Final = {"prompt_tokens": 12, "completion_tokens": DELTAS, "total_tokens": 12 + DELTAS}


def answer() -> bytes:
    text = " ".join(f"wrd{number}" for number in range(DELTAS))
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    return orjson.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event({**HEAD, "object": "chat.completion.chunk", "choices": [choice]})


def deltas() -> list[bytes]:
    return [event({"content": f"wrd{number} "}) for number in range(DELTAS)]


def ending() -> list[bytes]:
    usage = _event({**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    return [event({}, "stop"), usage, b"data: [DONE]\n\n"]


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
