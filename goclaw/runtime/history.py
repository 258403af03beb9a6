"""The messages of a conversation: as posted, as stored, as sent to the model."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, Final

import orjson

from goclaw.core.ids import uuid7_text
from goclaw.providers.messages import ModelMessage, Part, TextPart, Thought, ToolCall

Row = dict[str, Any]


def link(previous: bytes, message: ModelMessage) -> bytes:
    """The hash of a conversation that ends with `message`, given the hash of what came before."""
    content = message.content
    if isinstance(content, str):
        text, urls = content, []
    else:
        text, urls = message.text, [part.url for part in message.images]
    parts = (
        message.role,
        text,
        urls,
        [(call.id, call.name, call.arguments) for call in message.tool_calls],
        message.tool_call_id,
        message.name,
    )
    return sha256(previous + orjson.dumps(parts)).digest()


def chain(messages: Iterable[ModelMessage], start: bytes = b"") -> bytes:
    for message in messages:
        start = link(start, message)
    return start


def split_at_last_answer(
    messages: Sequence[ModelMessage],
) -> tuple[Sequence[ModelMessage], Sequence[ModelMessage]]:
    """What was said up to the model's last answer, and what is new."""
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "assistant":
            return messages[: index + 1], messages[index + 1 :]
    return (), messages


def without_contents(message: ModelMessage) -> ModelMessage:
    """Who spoke, and which tools were called; not with what."""
    calls = [ToolCall(call.id, call.name, "") for call in message.tool_calls]
    return ModelMessage(message.role, "", tool_calls=calls, tool_call_id=message.tool_call_id)


def lacks_contents(row: Any) -> bool:
    """Whether a stored message once said something: a user who says nothing is refused."""
    return row.role == "user" and not row.content and row.parts is None


def to_row(message: ModelMessage, seq: int) -> Row:
    """A row of `messages`. An image is kept as what it was, not as what it showed."""
    content = message.content
    plain = isinstance(content, str)
    row = {
        "id": uuid7_text(),
        "seq": seq,
        "role": "system" if message.role == "developer" else message.role,
        "name": message.name,
        "content": content if plain else message.text,
        "parts": None if plain else [_part_row(part) for part in message.parts],
        "tool_calls": [_call_row(call) for call in message.tool_calls] or None,
        "tool_call_id": message.tool_call_id,
    }
    if message.thoughts:
        row["thoughts"] = [_thought_row(thought) for thought in message.thoughts]
    if message.is_error:
        row["is_error"] = True
    return row


def _thought_row(thought: Thought) -> Row:
    """Without what is empty, and without the one character that PostgreSQL cannot hold."""
    values = {key: value for key, value in asdict(thought).items() if value}
    return values | {"text": thought.text.replace("\0", "")}


def _part_row(part: Part) -> Row:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    embedded = part.embedded()
    if embedded is None:
        return {"type": "image", "url": part.url}
    media_type, data = embedded
    raw = data.encode()
    return {
        "type": "image",
        "media_type": media_type,
        "sha256": sha256(raw).hexdigest(),
        "size_bytes": len(raw) * 3 // 4,
    }


def _call_row(call: ToolCall) -> Row:
    row: Row = {"id": call.id, "name": call.name, "arguments": call.arguments}
    return row | {"extra": call.extra} if call.extra else row


def from_row(row: Any) -> ModelMessage:
    """A stored message as the model gets it again; images have become a note."""
    text = row.content
    images = sum(part["type"] == "image" for part in row.parts or ())
    if images:
        text = f"{text}\n[{images} earlier image(s), no longer attached]".strip()
    calls = [
        ToolCall(c["id"], c["name"], c["arguments"], c.get("extra")) for c in row.tool_calls or ()
    ]
    return ModelMessage(
        row.role,
        text,
        name=row.name,
        tool_calls=calls,
        tool_call_id=row.tool_call_id,
        thoughts=[Thought(**thought) for thought in row.thoughts or ()],
        is_error=row.is_error,
    )


UNKNOWN: Final = (
    "The outcome of this call is unknown: it was interrupted before a result was noted. It may "
    "have been carried out, wholly or in part, or not at all."
)


def taken_up(rows: Iterable[Any]) -> list[ModelMessage]:
    """The messages that a run, or the next one of its session, goes on with: `rows` are stored
    messages, in order.
    """
    return repaired([from_row(row) for row in rows])


def repaired(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """Every call with its result right behind it, in the order of the calls, as vendors demand.
    A call without a result is told to be of unknown outcome; a result without its call goes.
    """
    whole: list[ModelMessage] = []
    waiting: dict[str, ToolCall] = {}
    results: dict[str, ModelMessage] = {}
    between: list[ModelMessage] = []
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id in waiting:
                results.setdefault(message.tool_call_id, message)
            continue
        if waiting and message.role == "assistant":
            whole += [*_results(waiting, results), *between]
            waiting, results, between = {}, {}, []
        (between if waiting else whole).append(message)
        if message.tool_calls:
            waiting = {call.id: call for call in message.tool_calls}
    return [*whole, *_results(waiting, results), *between]


def _results(calls: dict[str, ToolCall], results: dict[str, ModelMessage]) -> list[ModelMessage]:
    return [results.get(id) or _unknown(call) for id, call in calls.items()]


def _unknown(call: ToolCall) -> ModelMessage:
    return ModelMessage("tool", UNKNOWN, name=call.name, tool_call_id=call.id, is_error=True)
