"""What is written down of a run while it goes on: messages, events and spans of each step."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic_ns
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from goclaw.core.clock import clock_s
from goclaw.core.errors import Conflict, Unavailable
from goclaw.core.ids import uuid7
from goclaw.events.hub import EventHub
from goclaw.models.runs import RunStatus
from goclaw.providers.messages import ModelMessage, Reply, ToolCall
from goclaw.runtime.accounts import answer_of, answered_by, cost_of_call
from goclaw.runtime.budgets import Budgets
from goclaw.runtime.history import to_row
from goclaw.runtime.live import LiveRun
from goclaw.runtime.spans import TraceRows
from goclaw.runtime.spent import Spent
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.security.scrub import Scrubber
from goclaw.store.database import Database
from goclaw.store.steps import INBOX_LIMIT, Step, Stepped, has_last_word, write_result, write_step

log = structlog.get_logger()

T = TypeVar("T")

PREVIEW_CHARS: Final = 1000
"""Of arguments and results in events."""
WRITE_FOR_S: Final = 60.0
"""How long a result waits for a database that is away: what was done is not to be for nothing."""

WRITE_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 5.0


class Intent:
    """A tool call that is written down; its result has its place in the session."""

    __slots__ = ("began_ns", "call", "id", "seq")

    def __init__(self, call: ToolCall, seq: int) -> None:
        self.call = call
        self.seq = seq
        self.id: UUID = uuid7()
        self.began_ns = monotonic_ns()


class Steps:
    """Writes the steps of one run. Every method that writes raises Conflict when the run has
    ended otherwise, and Unavailable when the database is away.
    """

    def __init__(
        self,
        run: LiveRun,
        database: Database,
        hub: EventHub,
        traces: TraceWriter,
        scrubber: Scrubber,
        budgets: Budgets,
        worker: str,
    ) -> None:
        self._run = run
        self._worker = worker
        self._database = database
        self._hub = hub
        self._traces = traces
        self._scrubber = scrubber
        self._budgets = budgets
        run.agent_span_id = run.agent_span_id or uuid7()
        run.spent = self.spent = run.spent or Spent()
        self._rows = TraceRows(run, scrubber)
        self._agent = self._rows.agent(RunStatus.RUNNING, None)
        begun = self._rows.trace(RunStatus.RUNNING, None, None, None, self.spent)
        if run.taken_up:
            traces.end(begun, [self._agent])
        else:
            traces.begin(begun, self._agent)

    async def answer(self, reply: Reply) -> list[str]:
        """Ends the open model call, after which the run goes on without calling tools. Gives
        what the user said meanwhile.
        """
        messages = [self._row(answer_of(reply), 1)] if reply.content else []
        return (await self._step(reply, messages, len(messages), [])).said

    async def intend(self, reply: Reply, calls: list[ToolCall]) -> tuple[list[Intent], list[str]]:
        """Ends the open model call, of whose tool calls these may now be carried out. Gives what
        the user said meanwhile, too.
        """
        answer = self._row(answer_of(reply), 1)  # before its results: ids tell the order, too
        intents = [Intent(call, place) for place, call in enumerate(calls, start=2)]
        events = [self._event("tool.call", self._called(intent)) for intent in intents]
        step = await self._step(reply, [answer], 1 + len(calls), events)
        for intent in intents:
            intent.seq += step.before
        return intents, step.said

    async def take(self) -> list[str]:
        """What the user said while tools were at work."""
        return (await self._write([], 0, [])).said

    async def has_last_word(self) -> bool:
        """So it is, too, while the database is away: what the user said meanwhile is then kept,
        and the answer, which is whole, need not wait.
        """
        try:
            return await has_last_word(self._database, self._run.id, self._worker)
        except Unavailable:
            log.warning("run.last_word_assumed", run_id=str(self._run.id))
            return True

    async def result(self, intent: Intent, result: ModelMessage) -> bool:
        """Commits what came of a call; asked again as long as the database may come back, so
        that it is not done for nothing. Tells whether the user has said something meanwhile.
        """
        row = self._row(result, intent.seq) | {"id": intent.id}
        told = {
            "call_id": intent.call.id,
            "name": intent.call.name,
            "is_error": result.is_error,
            "result": self._preview(result.text),
            "duration_ms": (monotonic_ns() - intent.began_ns) // 1_000_000,
        }
        waits = await self._stubbornly(row, self._event("tool.result", told))
        self._trace(intent, result, RunStatus.ERROR if result.is_error else RunStatus.COMPLETED)
        self._hub.wake()
        return waits

    def stopped(self, intent: Intent) -> None:
        """The run was cancelled while the tool was at work: what came of it is unknown."""
        self._trace(intent, ModelMessage("tool"), RunStatus.CANCELLED)

    def _trace(self, intent: Intent, result: ModelMessage, status: RunStatus) -> None:
        self.spent.tool_calls += 1
        self._traces.note(
            self._rows.tool_call(
                self._agent,
                intent.call,
                result,
                began_ns=intent.began_ns,
                wrote=intent.seq,
                status=status,
            )
        )

    async def _stubbornly(self, row: dict[str, Any], event: dict[str, Any]) -> bool:
        at, until = datetime.now(UTC), clock_s() + WRITE_FOR_S
        attempt = 1
        while True:
            try:
                waits = await write_result(
                    self._database, self._run.id, self._worker, at, row, event
                )
            except Unavailable:
                if clock_s() >= until:
                    raise
                log.warning("run.result_delayed", run_id=str(self._run.id), attempt=attempt)
                await asyncio.sleep(min(WRITE_PAUSE_S * attempt, LONGEST_PAUSE_S))
                attempt += 1
            else:
                return _still_running(waits)

    async def _step(
        self,
        reply: Reply,
        messages: list[dict[str, Any]],
        reserves: int,
        events: list[dict[str, Any]],
    ) -> Stepped:
        run = self._run
        cost_usd = cost_of_call(run, reply)
        counted = replace(self.spent)
        counted.add(reply.usage, cost_usd)
        step = await self._write(messages, reserves, events, counted)
        self.spent.add(reply.usage, cost_usd)
        self._budgets.add(run.turn.budgets, reply.usage, cost_usd)
        self._traces.note(
            self._rows.model_call(
                self._agent,
                reply,
                answered_by(run),
                cost_usd,
                wrote_to=step.before + len(messages),
            )
        )
        run.close_call()
        return step

    async def _write(
        self,
        messages: list[dict[str, Any]],
        reserves: int,
        events: list[dict[str, Any]],
        spent: Spent | None = None,
    ) -> Stepped:
        spent = spent or self.spent
        step = Step(
            run_id=self._run.id,
            worker=self._worker,
            at=datetime.now(UTC),
            messages=messages,
            reserves=reserves,
            events=events,
            input_tokens=spent.usage.input_tokens,
            output_tokens=spent.usage.output_tokens,
            cached_tokens=spent.usage.cached_tokens,
            cost_usd=spent.cost_usd,
            spare_ids=[uuid7() for _ in range(INBOX_LIMIT)],
        )
        stepped = _still_running(await write_step(self._database, step))
        self._run.last_seq = stepped.before + reserves + len(stepped.said)
        if events:
            self._hub.wake()
        return stepped

    def _row(self, message: ModelMessage, seq: int) -> dict[str, Any]:
        return to_row(self._run.turn.stored(message), seq)

    def _event(self, kind: str, told: dict[str, Any]) -> dict[str, Any]:
        return {"id": uuid7(), "kind": kind, "payload": {"id": self._run.id, **told}}

    def _called(self, intent: Intent) -> dict[str, Any]:
        return {
            "call_id": intent.call.id,
            "name": intent.call.name,
            "arguments": self._preview(intent.call.arguments),
            "offset": self._run.said_chars,
        }

    def _preview(self, text: str) -> str:
        if not self._run.turn.agent.store_contents:
            return ""
        return self._scrubber.clip(text.replace("\0", ""), PREVIEW_CHARS)


def _still_running(written: T | None) -> T:
    """A run that was given up elsewhere goes no further."""
    if written is None:
        raise Conflict("run_ended")
    return written
