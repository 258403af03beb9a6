"""What is written down about a run: its first and last rows, and what it used."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import monotonic_ns
from typing import Any

from goclaw.core.errors import GatewayError
from goclaw.core.ids import uuid7, uuid7_text
from goclaw.models.providers import ProviderType
from goclaw.models.runs import RunStatus
from goclaw.providers.attempts import Attempt
from goclaw.providers.messages import ModelMessage, Reply
from goclaw.runtime.history import chain, link, to_row
from goclaw.runtime.live import LiveRun, Turn
from goclaw.runtime.prices import cost_usd
from goclaw.runtime.spans import NO_USAGE, TraceRows
from goclaw.runtime.spent import Spent, nothing
from goclaw.security.scrub import Scrubber
from goclaw.store.chat_traces import ChatTrace
from goclaw.store.runs import NewRun, RunEnd
from goclaw.store.traces import NewSpan, NewTrace


def new_run(turn: Turn, worker: str, request: dict[str, Any] | None = None) -> NewRun:
    """The rows that are committed before the model is asked."""
    run_id = turn.run_id or uuid7()
    trace_id = uuid7()
    rows = [to_row(turn.stored(message), seq) for seq, message in enumerate(turn.new, start=1)]
    return NewRun(
        id=run_id,
        trace_id=trace_id,
        session_id=turn.session_id,
        continues=turn.before if turn.continues else None,
        new_session_id=uuid7_text(),
        session_key=turn.session_key,
        label=turn.label,
        agent_id=turn.agent.id,
        user_id=turn.user_id,
        key_id=turn.key_id,
        channel=turn.channel,
        model=turn.request.model,
        provider_name=turn.provider_name,
        worker=worker,
        started_at=datetime.now(UTC),
        messages=rows,
        event_id=uuid7_text(),
        request=request,
        takes_more=turn.toolbox is not None,
    )


def answered_by(run: LiveRun) -> Attempt | None:
    """The call that was answered, where it was not the first of the open model call."""
    attempts = run.request.attempts
    return attempts[-1] if attempts and attempts[-1].code is None else None


def cost_of_call(run: LiveRun, reply: Reply) -> Decimal | None:
    """Of the open model call. Unknown, too, when the vendor did not say how much was used."""
    if reply.usage is None:
        return None
    if (by := answered_by(run)) is not None:
        return cost_usd(ProviderType(by.provider_type), by.model, reply.usage, by.price)
    model = run.request.model
    own = run.turn.client.price_of(model)
    return cost_usd(run.turn.provider_type, model, reply.usage, own)


def answer_of(reply: Reply) -> ModelMessage:
    return ModelMessage(
        "assistant",
        reply.content.replace("\0", ""),
        tool_calls=reply.tool_calls,
        thoughts=reply.thoughts,
    )


class Outcome:
    """The figures of a run that has ended; `message` is what its last model call said as a row,
    also a part of it, and None when the model said nothing. Errors and previews pass the
    scrubber; messages are the user's own and stay as they are.
    """

    def __init__(
        self, run: LiveRun, status: RunStatus, error: GatewayError | None, scrubber: Scrubber
    ) -> None:
        self.run = run
        self.status = status
        self.error = error
        self._scrubber = scrubber
        self.reply = run.said
        self.call_cost_usd = cost_of_call(run, self.reply)
        self.spent = self._spent()
        self.duration_ms = (monotonic_ns() - run.started_ns) // 1_000_000
        # Later than what was posted, by which it is told apart.
        self.ended_at = run.started_at + timedelta(milliseconds=max(1, self.duration_ms))
        self.answer = answer_of(self.reply)
        self.message = self._message()
        self.error_text = self._error_text()

    def _spent(self) -> Spent:
        """The open model call is added to those before it."""
        before, open_call = self.run.spent, self.run.calling
        if before is None and open_call:
            return Spent(self.reply.usage or nothing(), self.call_cost_usd, model_calls=1)
        spent = Spent() if before is None else replace(before)
        if open_call:
            spent.add(self.reply.usage, self.call_cost_usd)
        return spent

    def _message(self) -> dict[str, Any] | None:
        if not self.answer.content and not self.answer.tool_calls:
            return None
        return to_row(self.run.turn.stored(self.answer), 1)

    def _error_text(self) -> str | None:
        """The code alone where contents are not stored: a vendor may quote what it was asked."""
        if self.error is None:
            return None
        if not self.run.turn.agent.store_contents:
            return self.error.code
        return self._scrubber.scrub(str(self.error))

    def prefix_hash(self) -> bytes | None:
        """Of what the client has seen; None for an answer that none has seen whole."""
        if self.status is not RunStatus.COMPLETED:
            return None
        turn, whole = self.run.turn, self.run.whole
        return link(
            chain(turn.new, turn.before), self.answer if whole is None else answer_of(whole)
        )

    def run_end(self) -> RunEnd:
        usage = self.spent.usage
        return RunEnd(
            id=self.run.id,
            status=self.status,
            ended_at=self.ended_at,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            cost_usd=self.spent.cost_usd,
            error_code=None if self.error is None else self.error.code,
            error_message=self.error_text,
            prefix_hash=self.prefix_hash(),
            message=self.message,
            event_id=uuid7_text(),
        )

    def chat_trace(self) -> ChatTrace:
        """The same as `trace_rows`, of a run that had no model call before the open one."""
        run, turn, reply = self.run, self.run.turn, self.reply
        rows, by = TraceRows(run, self._scrubber), answered_by(run)
        failed = None if self.error is None else {"error_code": self.error.code}
        usage, called = reply.usage or NO_USAGE, run.calling
        return {
            "id": run.trace_id,
            "parent_trace_id": turn.parent_trace_id,
            "run_id": run.id,
            "agent_id": turn.agent.id,
            "agent_key": turn.agent.key,
            "user_id": turn.user_id,
            "session_id": run.session_id,
            "session_key": run.session_key,
            "channel": turn.channel,
            "status": self.status,
            "began": run.started_at,
            "took_ms": self.duration_ms,
            "asked": rows.asked,
            "answered": rows.preview(self.answer),
            "error": self.error_text,
            "span_id": uuid7_text(),
            "metadata": failed,
            "call_id": uuid7_text() if called else None,
            "called_us": (run.call_ns - run.started_ns) // 1000 if called else None,
            "model": run.request.model if by is None else by.model,
            "provider": turn.provider_name if by is None else by.provider,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": self.call_cost_usd,
            "finish_reason": reply.finish_reason or None,
            "first_seq": run.first_seq,
            "last_seq": run.last_seq + (self.message is not None),
            "call_metadata": rows.call_metadata(failed, reply, by),
        }

    def trace_rows(self) -> tuple[NewTrace, list[NewSpan]]:
        """One trace, one span for the agent's turn, one within it for the model call that was
        open.
        """
        run, ended_ms = self.run, self.duration_ms
        rows = TraceRows(run, self._scrubber)
        told = rows.preview(self.answer)
        code = None if self.error is None else self.error.code
        agent = rows.agent(self.status, ended_ms, told, self.error_text, code)
        spans = [agent]
        if run.calling:
            spans.append(
                rows.model_call(
                    agent,
                    self.reply,
                    answered_by(run),
                    self.call_cost_usd,
                    wrote_to=run.last_seq + (self.message is not None),
                )
            )
        return rows.trace(self.status, ended_ms, told, self.error_text, self.spent), spans
