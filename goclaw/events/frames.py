"""Many messages in one physical message.

A frame is a number, that makes equal frames differ (NOTIFY drops duplicates within a
transaction), and messages as `<channel length>,<text length>:<channel><text>`. The text length
`@` stands for a message kept elsewhere, whose id takes the place of the text.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

REFERENCE: Final = "@"
REFERENCE_LENGTH: Final = 32
NUMBER_LENGTH: Final = 9
_numbers = count()


class Message(NamedTuple):
    channel: str
    text: str


class Reference(NamedTuple):
    """A message whose text is kept elsewhere."""

    channel: str
    id: UUID


def pack(
    messages: Iterable[Message], limit_bytes: int, keep: Callable[[str], UUID] | None = None
) -> list[str]:
    """Frames of at most `limit_bytes`. A text that fits in none is handed to `keep`, which
    gives it an id; without `keep` it becomes a larger frame of its own.
    """
    frames: list[str] = []
    parts: list[str] = []
    most = limit_bytes - NUMBER_LENGTH
    room = most
    for channel, text in messages:
        part = f"{len(channel)},{len(text)}:{channel}{text}"
        size = size_bytes(part)
        if size > most and keep is not None:
            part = f"{len(channel)},{REFERENCE}:{channel}{keep(text).hex}"
            size = size_bytes(part)
        if size > room and parts:
            frames.append(_frame(parts))
            parts, room = [], most
        parts.append(part)
        room -= size
    if parts:
        frames.append(_frame(parts))
    return frames


def unpack(frame: str) -> Iterator[Message | Reference]:
    """Raises ValueError for anything that `pack` did not make."""
    at = frame.index(";") + 1
    while at < len(frame):
        colon = frame.index(":", at)
        channel_length, _, text_length = frame[at:colon].partition(",")
        is_reference = text_length == REFERENCE
        text_at = colon + 1 + int(channel_length)
        at = text_at + (REFERENCE_LENGTH if is_reference else int(text_length))
        if not colon < text_at <= at <= len(frame):
            raise ValueError("a frame was cut short")
        channel, text = frame[colon + 1 : text_at], frame[text_at:at]
        yield Reference(channel, UUID(text)) if is_reference else Message(channel, text)


def size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _frame(parts: list[str]) -> str:
    return f"{next(_numbers) & 0xFFFFFFFF:x};{''.join(parts)}"
