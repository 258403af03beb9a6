"""What a run did, from its stored messages and from the events that told of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from goclaw.events.row import EventRow
from goclaw.models.run_events import RunInjected, RunRetrying, RunToolCall, RunToolResult
from goclaw.models.sessions import Message
from goclaw.resolvers.context import Context
from goclaw.runtime.live import BETWEEN_STEPS
from goclaw.runtime.steps import PREVIEW_CHARS

Happened = RunToolCall | RunToolResult | RunInjected | RunRetrying


class RunSteps:
    """Each step is told once, whether it is read or heard first. Texts pass the scrubber, as
    those of events have.
    """

    def __init__(self, ctx: Context) -> None:
        self._scrubber = ctx.services.scrubber
        self._told: set[tuple[type, object]] = set()

    def read(self, steps: Sequence[Message], cursor: str) -> Iterator[Happened]:
        """Those among stored messages that were not told yet."""
        offset = 0
        began: dict[str, datetime] = {}
        for message in steps:
            if message.role == "assistant":
                for call in message.tool_calls or ():
                    began[call["id"]] = message.created_at
                    arguments = self._clip(call["arguments"])
                    at = offset + len(message.content)
                    called = RunToolCall(cursor, call["id"], call["name"], arguments, at)
                    yield from self._once(called, call["id"])
                offset += len(message.content) + (len(BETWEEN_STEPS) if message.content else 0)
            elif message.role == "tool":
                id = message.tool_call_id or ""
                text = self._clip(message.content)
                took = _took_ms(began.get(id), message.created_at)
                result = RunToolResult(cursor, id, message.name, message.is_error, text, took)
                yield from self._once(result, id)
            else:
                said = RunInjected(cursor, self._clip(message.content))
                yield from self._once(said, message.created_at)

    def waiting(self, inbox: Sequence[Mapping[str, str]], cursor: str) -> Iterator[Happened]:
        """What the user said that the run has not taken yet."""
        for said in inbox:
            injected = RunInjected(cursor, self._clip(said["content"]))
            yield from self._once(injected, datetime.fromisoformat(said["at"]))

    def heard(self, event: EventRow) -> Iterator[Happened]:
        """Of one event, unless it was told already."""
        told: dict[str, Any] = event.payload
        if event.kind == "tool.call":
            id, name = told["call_id"], told["name"]
            called = RunToolCall(event.cursor, id, name, told["arguments"], told["offset"])
            yield from self._once(called, id)
        elif event.kind == "tool.result":
            id = told["call_id"]
            result = RunToolResult(
                event.cursor,
                id,
                told["name"],
                told["is_error"],
                told["result"],
                told["duration_ms"],
            )
            yield from self._once(result, id)
        elif event.kind == "run.injected":
            said = RunInjected(event.cursor, told["text"])
            yield from self._once(said, datetime.fromisoformat(told["at"]))
        elif event.kind == "run.retrying":
            yield from self.retrying(event.id, told, event.cursor)

    def retrying(self, id: UUID, told: Mapping[str, Any], cursor: str) -> Iterator[Happened]:
        """Of that event, unless it was told already."""
        again = RunRetrying(
            cursor,
            told["provider"],
            told["model"],
            told["attempt"],
            told["max_attempts"],
            told["error_code"],
            told["wait_ms"],
        )
        yield from self._once(again, id)

    def _once(self, happened: Happened, id: object) -> Iterator[Happened]:
        key = (type(happened), id)
        if key not in self._told:
            self._told.add(key)
            yield happened

    def _clip(self, text: str) -> str:
        return self._scrubber.clip(text, PREVIEW_CHARS)


def _took_ms(began: datetime | None, ended: datetime) -> int | None:
    return None if began is None else max(0, (ended - began) // timedelta(milliseconds=1))


def text_of(steps: Sequence[Message]) -> str:
    """The answer as one, as it was told while it was given."""
    said = [step.content for step in steps if step.role == "assistant" and step.content]
    return BETWEEN_STEPS.join(said)


def answer_among(steps: Sequence[Message]) -> Message | None:
    """What the model said last."""
    return next((step for step in reversed(steps) if step.role == "assistant"), None)
