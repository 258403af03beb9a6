"""Server-sent events before they are written."""

import json
from dataclasses import dataclass
from typing import Any

from tests.upstream.script import Script


@dataclass(frozen=True)
class Frame:
    """`delta`: waits before it and cuts at it are counted."""

    data: bytes
    delta: bool = False


def frame(script: Script, data: Any, *, event: str | None = None, delta: bool = False) -> Frame:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    end = "\r\n" if script.crlf else "\n"
    lines = [f"event: {event}"] if event else []
    lines.append(f"data: {text}" if script.blank else f"data:{text}")
    return Frame((end.join(lines) + end + end).encode(), delta)
