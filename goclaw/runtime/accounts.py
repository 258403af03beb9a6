"""What is written down about a run: its first and last rows, its trace and spans."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import monotonic_ns
from typing import Any, Final

from goclaw.core.errors import GatewayError
from goclaw.core.ids import uuid7
from goclaw.models.providers import ProviderType
from goclaw.models.runs import RunStatus
from goclaw.models.traces import SpanType
from goclaw.providers.attempts import Attempt
from goclaw.providers.messages import ModelMessage, Usage
from goclaw.runtime.history import chain, link, to_row
from goclaw.runtime.live import LiveRun, Turn
from goclaw.runtime.prices import cost_usd
from goclaw.security.scrub import Scrubber
from goclaw.store.runs import NewRun, RunEnd
from goclaw.store.traces import NewSpan, NewTrace, instant

PREVIEW_CHARS: Final = 500
NO_USAGE: Final = Usage(0, 0)


def new_run(turn: Turn, worker: str, request: dict[str, Any] | None = None) -> NewRun:
    """The rows that are committed before the model is asked."""
    run_id = uuid7()
    trace_id = uuid7()
    rows = [to_row(turn.stored(message), seq) for seq, message in enumerate(turn.new, start=1)]
    return NewRun(
        id=run_id,
        trace_id=trace_id,
        session_id=turn.session_id,
        continues=turn.before if turn.continues else None,
        new_session_id=uuid7(),
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
        event_id=uuid7(),
        event={"id": run_id, "trace_id": trace_id, "channel": turn.channel},
        request=request,
    )


class Outcome:
    """The figures of a run that has ended; `message` is its answer as a row, also a part of one,
    and None when the model said nothing. Errors and previews pass the scrubber; messages are the
    user's own and stay as they are.
    """

    def __init__(
        self, run: LiveRun, status: RunStatus, error: GatewayError | None, scrubber: Scrubber
    ) -> None:
        self.run = run
        self.status = status
        self.error = error
        self._scrubber = scrubber
        self.reply = run.reply or run.answer.reply()
        self.usage = self.reply.usage or NO_USAGE
        self.duration_ms = (monotonic_ns() - run.started_ns) // 1_000_000
        self.ended_at = run.started_at + timedelta(milliseconds=self.duration_ms)
        self.cost_usd = self._cost()
        self.answer = ModelMessage(
            "assistant",
            self.reply.content.replace("\0", ""),
            tool_calls=self.reply.tool_calls,
            thoughts=self.reply.thoughts,
        )
        self.message = self._message()
        self.error_text = self._error_text()

    def _cost(self) -> Decimal | None:
        """Unknown, too, when the vendor did not say how much was used."""
        if self.reply.usage is None:
            return None
        if (by := self.answered_by) is not None:
            return cost_usd(ProviderType(by.provider_type), by.model, self.usage)
        return cost_usd(self.run.turn.provider_type, self.run.turn.request.model, self.usage)

    @property
    def answered_by(self) -> Attempt | None:
        """The call that was answered, where it was not the first."""
        attempts = self.run.turn.request.attempts
        return attempts[-1] if attempts and attempts[-1].code is None else None

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

    def _preview(self, message: ModelMessage) -> str | None:
        return self._scrubber.clip(self.run.turn.stored(message).text, PREVIEW_CHARS) or None

    def prefix_hash(self) -> bytes | None:
        """None for an answer that no client has seen whole."""
        if self.status is not RunStatus.COMPLETED:
            return None
        turn = self.run.turn
        return link(chain(turn.new, turn.before), self.answer)

    def run_end(self) -> RunEnd:
        event = {
            "id": self.run.id,
            "trace_id": self.run.trace_id,
            "status": self.status,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "error_code": None if self.error is None else self.error.code,
        }
        return RunEnd(
            id=self.run.id,
            status=self.status,
            ended_at=self.ended_at,
            input_tokens=self.usage.input_tokens,
            output_tokens=self.usage.output_tokens,
            cached_tokens=self.usage.cached_tokens,
            cost_usd=self.cost_usd,
            error_code=None if self.error is None else self.error.code,
            error_message=self.error_text,
            prefix_hash=self.prefix_hash(),
            message=self.message,
            event_id=uuid7(),
            event=event,
        )

    def trace_rows(self) -> tuple[NewTrace, list[NewSpan]]:
        """One trace, one span for the agent's turn, one within it for the model call."""
        run, turn = self.run, self.run.turn
        asked, answered = self._preview(turn.new[-1]), self._preview(self.answer)
        began = instant(run.started_at)
        ended = began + self.duration_ms * 1000
        trace = NewTrace(
            id=run.trace_id,
            run_id=run.id,
            agent_id=turn.agent.id,
            user_id=turn.user_id,
            session_id=run.session_id,
            session_key=run.session_key,
            name=f"chat {turn.agent.key}",
            channel=turn.channel,
            status=self.status,
            start_time=began,
            end_time=ended,
            duration_ms=self.duration_ms,
            input_preview=asked,
            output_preview=answered,
            total_input_tokens=self.usage.input_tokens,
            total_output_tokens=self.usage.output_tokens,
            total_cost_usd=self.cost_usd,
            span_count=2,
            llm_call_count=1,
            tool_call_count=0,
            error=self.error_text,
            created_at=began,
        )
        agent = NewSpan(
            id=uuid7(),
            trace_id=run.trace_id,
            agent_id=turn.agent.id,
            span_type=SpanType.AGENT,
            name=turn.agent.key,
            status=self.status,
            start_time=began,
            end_time=ended,
            duration_ms=self.duration_ms,
            input_preview=asked,
            output_preview=answered,
            error=self.error_text,
            created_at=began,
        )
        return trace, [agent, self._call(agent)]

    def _call(self, agent: NewSpan) -> NewSpan:
        """It began and ended with the agent's turn, as long as no tool is called."""
        run, by = self.run, self.answered_by
        first = run.first_token_ns
        model = run.turn.request.model if by is None else by.model
        return agent._replace(
            id=uuid7(),
            span_type=SpanType.LLM_CALL,
            name=model,
            parent_span_id=agent.id,
            model=model,
            provider=run.turn.provider_name if by is None else by.provider,
            input_tokens=self.usage.input_tokens,
            output_tokens=self.usage.output_tokens,
            cost_usd=self.cost_usd,
            finish_reason=self.reply.finish_reason or None,
            first_seq=run.first_seq,
            last_seq=run.last_seq + (self.message is not None),
            metadata={
                "cached_tokens": self.usage.cached_tokens,
                "cache_write_tokens": self.usage.cache_write_tokens,
                "attempts": [attempt.row() for attempt in run.turn.request.attempts],
                "reasoning_tokens": self.usage.reasoning_tokens,
                "first_token_ms": None if first is None else (first - run.started_ns) // 1_000_000,
            },
        )
