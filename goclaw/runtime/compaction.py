"""Making a summary of what was said long ago, in the background, where a conversation grows too
long for its model. Messages stay as they are; the summary stands beside them.
"""

from collections.abc import Sequence
from copy import copy
from typing import Final
from uuid import UUID

import structlog

from goclaw.core.errors import GatewayError
from goclaw.models.compaction import Compaction
from goclaw.models.runs import RunStatus
from goclaw.providers.messages import ModelMessage, ModelRequest, Reply
from goclaw.runtime.accounts import Outcome, answered_by, cost_of_call
from goclaw.runtime.budgets import Budgets
from goclaw.runtime.history import from_row
from goclaw.runtime.live import LiveRun
from goclaw.runtime.spans import TraceRows
from goclaw.runtime.spent import nothing, summed_costs
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.security.scrub import Scrubber
from goclaw.store.database import Database
from goclaw.store.summaries import NewSummary, keep_summary, messages_between, summary_of
from goclaw.store.traces import NewSpan, NewTrace

log = structlog.get_logger()

MAX_TOKENS: Final = 1024
TEMPERATURE: Final = 0.3
MESSAGE_CHARS: Final = 4000
"""So much of one message is read for a summary."""
CHARS_PER_TOKEN: Final = 3
ASK: Final = (
    "Summarise the conversation below for the assistant that goes on with it: what the user wants, "
    "what was found out and decided, names, numbers and paths, what tools did, what is open. Be "
    "brief and exact, and write nothing but the summary."
)
TOLD: Final = "[Summary of the conversation so far]\n{summary}"


class Compactor:
    """One summary of a session at a time; another worker's is noticed when it is written."""

    def __init__(
        self, database: Database, traces: TraceWriter, scrubber: Scrubber, budgets: Budgets
    ) -> None:
        self._database = database
        self._traces = traces
        self._scrubber = scrubber
        self._budgets = budgets
        self._at_work: set[UUID] = set()

    async def compact(
        self, run: LiveRun, rules: Compaction, trace: NewTrace, agent: NewSpan
    ) -> None:
        """After a run that has ended, with these rows. What fails is tried again after the next
        one.
        """
        if run.session_id in self._at_work:
            return
        self._at_work.add(run.session_id)
        try:
            await self._compact(run, rules, trace, agent)
        except GatewayError as error:
            log.warning("session.not_compacted", session_id=str(run.session_id), code=error.code)
        finally:
            self._at_work.discard(run.session_id)

    async def _compact(
        self, run: LiveRun, rules: Compaction, trace: NewTrace, agent: NewSpan
    ) -> None:
        session = await summary_of(self._database, run.session_id)
        if session is None:
            return
        rows = await messages_between(
            self._database, run.session_id, session.summary_seq, session.message_count
        )
        cut = cut_of([row.role for row in rows], rules.keep_last_messages)
        if cut == 0:
            return
        await self._budgets.admit(run.turn.budgets)
        messages = [from_row(row) for row in rows[:cut]]
        run = copy(run)
        run.open_call(_request(run, session.summary, messages))
        reply = await run.turn.client.complete(run.request)
        self._pay(run, reply, trace, agent, rows[cut - 1].seq)
        await self._keep(run, reply, session.summary_seq, rows[cut - 1].seq)

    def _pay(self, run: LiveRun, reply: Reply, trace: NewTrace, agent: NewSpan, until: int) -> None:
        """Whatever becomes of the summary, it was asked for: the trace's sums have it, too."""
        cost_usd = cost_of_call(run, reply)
        self._budgets.add(run.turn.budgets, reply.usage, cost_usd)
        open_agent = agent._replace(status=RunStatus.RUNNING, end_time=None)
        span = TraceRows(run, self._scrubber).model_call(
            open_agent, reply, answered_by(run), cost_usd, wrote_to=until
        )
        usage = reply.usage or nothing()
        whole = trace._replace(
            total_input_tokens=trace.total_input_tokens + usage.input_tokens,
            total_output_tokens=trace.total_output_tokens + usage.output_tokens,
            total_cost_usd=summed_costs(trace.total_cost_usd, cost_usd),
            span_count=trace.span_count + 1,
            llm_call_count=trace.llm_call_count + 1,
        )
        self._traces.end(whole, [span._replace(name="compaction")])

    async def _keep(self, run: LiveRun, reply: Reply, before: int, until: int) -> None:
        cost_usd, usage = cost_of_call(run, reply), reply.usage
        summary = reply.content.replace("\0", "").strip()
        if not summary:
            return
        new = NewSummary(
            session_id=run.session_id,
            instead_of=before,
            text=summary,
            until=until,
            run_id=run.id,
            input_tokens=0 if usage is None else usage.input_tokens,
            output_tokens=0 if usage is None else usage.output_tokens,
            cost_usd=cost_usd,
        )
        await keep_summary(self._database, new)


def grew_too_long(outcome: Outcome) -> bool:
    """By what the vendor counted in the last model call, else by an estimate."""
    turn, usage = outcome.run.turn, outcome.reply.usage
    if turn.compaction is None or not turn.compaction.enabled:
        return False
    if outcome.status is not RunStatus.COMPLETED:
        return False
    tokens = usage.total_tokens if usage else estimated_tokens(outcome.run.request.messages)
    return tokens > turn.agent.context_window * turn.compaction.max_history_share


def cut_of(roles: Sequence[str], keep: int) -> int:
    """How many messages go into the summary: all but the last, ending before a word of the user,
    so that no tool call is parted from its result.
    """
    last = len(roles) - keep
    return next((place for place in range(last, 0, -1) if roles[place] == "user"), 0)


def estimated_tokens(messages: Sequence[ModelMessage]) -> int:
    """Where the vendor has not said how many there are."""
    return sum(len(message.text) for message in messages) // CHARS_PER_TOKEN


def as_message(summary: str) -> ModelMessage:
    return ModelMessage("system", TOLD.format(summary=summary))


def _request(run: LiveRun, summary: str | None, messages: Sequence[ModelMessage]) -> ModelRequest:
    told = [f"Summary of what came before:\n{summary}"] if summary else []
    told += [_line(message) for message in messages]
    return ModelRequest(
        model=run.turn.request.model,
        messages=[ModelMessage("system", ASK), ModelMessage("user", "\n\n".join(told))],
        max_tokens=MAX_TOKENS,
        temperature=TEMPERATURE,
        thinking_level="off" if run.turn.request.thinking_level else None,
    )


def _line(message: ModelMessage) -> str:
    text = message.text
    if len(text) > MESSAGE_CHARS:
        text = f"{text[: MESSAGE_CHARS // 2]} … {text[-MESSAGE_CHARS // 2 :]}"
    calls = "".join(f"\n(calls {call.name} {call.arguments})" for call in message.tool_calls)
    return f"{message.role}: {text}{calls}"[: 2 * MESSAGE_CHARS]
