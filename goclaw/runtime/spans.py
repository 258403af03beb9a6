"""The rows of a run's trace: the agent's turn, and within it each model call and tool call."""

from decimal import Decimal
from functools import cached_property
from time import monotonic_ns
from typing import Any, Final

from goclaw.core.ids import uuid7
from goclaw.models.runs import RunStatus
from goclaw.models.traces import SpanType
from goclaw.providers.attempts import Attempt
from goclaw.providers.messages import ModelMessage, Reply, ToolCall, Usage
from goclaw.runtime.live import LiveRun
from goclaw.runtime.spent import Spent
from goclaw.security.scrub import Scrubber
from goclaw.store.traces import NewSpan, NewTrace, instant

PREVIEW_CHARS: Final = 500
NO_USAGE: Final = Usage(0, 0)


class TraceRows:
    """Makes the rows of one run. Previews pass the scrubber; where contents are not stored there
    are none.
    """

    def __init__(self, run: LiveRun, scrubber: Scrubber) -> None:
        self._run = run
        self._scrubber = scrubber
        self.asked = self.preview(run.turn.new[-1])

    @cached_property
    def _began(self) -> int:
        return instant(self._run.started_at)

    def preview(self, message: ModelMessage) -> str | None:
        return self._clip(self._run.turn.stored(message).text)

    def _clip(self, text: str) -> str | None:
        return self._scrubber.clip(text, PREVIEW_CHARS) or None

    def _kept(self, text: str) -> str | None:
        return self._clip(text) if self._run.turn.agent.store_contents else None

    def _at(self, ns: int) -> int:
        return self._began + (ns - self._run.started_ns) // 1000

    def trace(
        self,
        status: RunStatus,
        ended_ms: int | None,
        answered: str | None,
        error: str | None,
        spent: Spent,
    ) -> NewTrace:
        run, turn = self._run, self._run.turn
        return NewTrace(
            id=run.trace_id,
            run_id=run.id,
            agent_id=turn.agent.id,
            user_id=turn.user_id,
            session_id=run.session_id,
            session_key=run.session_key,
            name=f"chat {turn.agent.key}",
            channel=turn.channel,
            status=status,
            start_time=self._began,
            end_time=None if ended_ms is None else self._began + ended_ms * 1000,
            duration_ms=ended_ms,
            input_preview=self.asked,
            output_preview=answered,
            total_input_tokens=spent.usage.input_tokens,
            total_output_tokens=spent.usage.output_tokens,
            total_cost_usd=spent.cost_usd,
            span_count=1 + spent.model_calls + spent.tool_calls,
            llm_call_count=spent.model_calls,
            tool_call_count=spent.tool_calls,
            error=error,
            created_at=self._began,
            parent_trace_id=turn.parent_trace_id,
        )

    def agent(
        self,
        status: RunStatus,
        ended_ms: int | None,
        answered: str | None = None,
        error: str | None = None,
        code: str | None = None,
    ) -> NewSpan:
        """`code` is the error's, whose text may not be for everyone who reads traces."""
        run, turn = self._run, self._run.turn
        return NewSpan(
            id=run.agent_span_id or uuid7(),
            trace_id=run.trace_id,
            agent_id=turn.agent.id,
            span_type=SpanType.AGENT,
            name=turn.agent.key,
            status=status,
            start_time=self._began,
            end_time=None if ended_ms is None else self._began + ended_ms * 1000,
            duration_ms=ended_ms,
            input_preview=self.asked,
            output_preview=answered,
            error=error,
            created_at=self._began,
            metadata=None if code is None else {"error_code": code},
        )

    def model_call(
        self,
        agent: NewSpan,
        reply: Reply,
        by: Attempt | None,
        cost_usd: Decimal | None,
        *,
        wrote_to: int,
    ) -> NewSpan:
        """The open one, which ends as the agent's span does, or now while that goes on. `by` is
        the call that was answered, where it was not the first.
        """
        run = self._run
        began = self._at(run.call_ns)
        # The end of a run is told in whole milliseconds, in the last of which a call may begin.
        ended = max(began, agent.end_time or self._at(monotonic_ns()))
        model = run.request.model if by is None else by.model
        usage = reply.usage or NO_USAGE
        ended_well = agent.status is RunStatus.RUNNING
        return NewSpan(
            id=uuid7(),
            trace_id=agent.trace_id,
            agent_id=agent.agent_id,
            span_type=SpanType.LLM_CALL,
            name=model,
            status=RunStatus.COMPLETED if ended_well else agent.status,
            start_time=began,
            end_time=ended,
            duration_ms=(ended - began) // 1000,
            input_preview=agent.input_preview,
            output_preview=self._kept(reply.content) if ended_well else agent.output_preview,
            error=agent.error,
            created_at=began,
            parent_span_id=agent.id,
            model=model,
            provider=run.turn.provider_name if by is None else by.provider,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost_usd,
            finish_reason=reply.finish_reason or None,
            first_seq=run.first_seq,
            last_seq=wrote_to,
            metadata=self.call_metadata(agent.metadata, reply, by),
        )

    def call_metadata(
        self, failed: dict[str, Any] | None, reply: Reply, by: Attempt | None
    ) -> dict[str, Any]:
        """Of the open model call."""
        run, first = self._run, self._run.first_token_ns
        usage = reply.usage or NO_USAGE
        return {
            **(failed or {}),
            "provider_type": run.turn.provider_type if by is None else by.provider_type,
            "response_model": reply.model or None,
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "attempts": [attempt.row() for attempt in run.request.attempts],
            "reasoning_tokens": usage.reasoning_tokens,
            "first_token_ms": None if first is None else (first - run.call_ns) // 1_000_000,
        }

    def tool_call(
        self,
        agent: NewSpan,
        call: ToolCall,
        result: ModelMessage,
        *,
        began_ns: int,
        wrote: int,
        status: RunStatus,
    ) -> NewSpan:
        """One that ends now."""
        began, ended = self._at(began_ns), self._at(monotonic_ns())
        failed = status is not RunStatus.COMPLETED
        return agent._replace(
            id=uuid7(),
            span_type=SpanType.TOOL_CALL,
            name=call.name,
            status=status,
            start_time=began,
            end_time=ended,
            duration_ms=(ended - began) // 1000,
            input_preview=self._kept(call.arguments),
            output_preview=self._kept(result.text),
            error=self._kept(result.text) if failed else None,
            created_at=began,
            parent_span_id=agent.id,
            tool_name=call.name,
            tool_call_id=call.id,
            first_seq=wrote,
            last_seq=wrote,
        )
