"""Runs that any worker may carry: put down, begun, taken up again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from time import monotonic_ns
from typing import Any, Final
from uuid import UUID

from goclaw.core.errors import Conflict, GatewayError, RateLimited
from goclaw.core.ids import uuid7, uuid7_text
from goclaw.core.settings import Settings
from goclaw.models.runs import RunStatus
from goclaw.providers.messages import ModelMessage, Usage
from goclaw.runtime.history import to_row
from goclaw.runtime.live import LiveRun, Turn
from goclaw.runtime.runner import Runner
from goclaw.runtime.spent import Spent
from goclaw.security.scrub import Scrubber
from goclaw.store.cron_due import Begin, begin_cron_run
from goclaw.store.database import Database
from goclaw.store.heartbeats import beat_workers, requeue_stalled_jobs
from goclaw.store.queue import (
    Beginning,
    JobRun,
    Queued,
    QueuedRun,
    ask_cancel,
    begin_queued,
    find_job_run,
    give_up,
    queue_run,
    take_up,
)

FULL_RETRY_S: Final = 30


class Lane(StrEnum):
    """What limits how many runs of a kind go on at once."""

    MAIN = "main"
    CRON = "cron"
    SUBAGENT = "subagent"
    DELEGATE = "delegate"


class JobRuns:
    def __init__(
        self, database: Database, runner: Runner, settings: Settings, scrubber: Scrubber
    ) -> None:
        self._database = database
        self._runner = runner
        self._settings = settings
        self._scrubber = scrubber

    async def queue(
        self, id: UUID, turn: Turn, lane: Lane, retries: int, request: dict[str, Any] | None
    ) -> None:
        """Commits what is asked, its job and its event. Raises Conflict when too much waits for
        the session or the request was kept before, RateLimited when too much waits in all, and
        BudgetExceeded.
        """
        await self._runner.admit(turn)
        settings = self._settings
        run = _queued(id, turn, lane, retries, request)
        self._refuse_full(
            await queue_run(self._database, run, settings.session_queue, settings.job_queue),
            kept="session_busy",
        )

    async def queue_cron(self, id: UUID, turn: Turn, begin: Begin) -> None:
        """The same for one time of a cron job, which moves on to its next. Raises Conflict
        `cron_job_busy` when a run of it goes on or another replica was first.
        """
        await self._runner.admit(turn)
        settings = self._settings
        run = _queued(id, turn, Lane.CRON, settings.job_retries, None)
        self._refuse_full(
            await begin_cron_run(
                self._database, run, begin, settings.session_queue, settings.job_queue
            ),
            kept="cron_job_busy",
        )

    def _refuse_full(self, done: Queued, kept: str) -> None:
        settings = self._settings
        if done is Queued.KEPT:
            raise Conflict(kept)
        if done is Queued.SESSION_FULL:
            raise Conflict("session_queue_full", limit=settings.session_queue)
        if done is Queued.FULL:
            raise RateLimited(
                "job_queue_full", limit=settings.job_queue, retry_after_s=FULL_RETRY_S
            )

    async def find(self, id: UUID) -> JobRun | None:
        """See `find_job_run`."""
        return await find_job_run(self._database, id)

    async def begin(self, row: JobRun, turn: Turn) -> LiveRun | None:
        """Commits that this worker carries the run. None while its session is busy, and when it
        waits no more. Raises BudgetExceeded.
        """
        await self._runner.admit(turn)
        began = datetime.now(UTC)
        messages = [to_row(turn.stored(said), seq) for seq, said in enumerate(turn.new, start=1)]
        session = await begin_queued(
            self._database,
            Beginning(
                id=row.id,
                new_session_id=uuid7_text(),
                session_key=turn.session_key,
                label=turn.label,
                model=turn.request.model,
                provider_name=turn.provider_name,
                worker=self._runner.worker,
                started_at=began,
                messages=messages,
                event_id=uuid7_text(),
                takes_more=turn.toolbox is not None,
            ),
        )
        if session is None:
            return None
        last = session.message_count
        run = _live(row, turn, session.id, session.key, began)
        run.first_seq, run.last_seq = last - len(messages) + 1, last
        return self._carried(run)

    async def take_up(
        self, row: JobRun, turn: Turn, done: Sequence[ModelMessage]
    ) -> LiveRun | None:
        """Commits that this worker carries on what another left, after what that one had `done`.
        None when it lives after all, or the session went on without it.
        """
        assert row.session_id is not None
        assert row.session_key is not None
        if not await take_up(self._database, row.id, self._runner.worker):
            return None
        run = _live(row, turn, row.session_id, row.session_key, row.started_at, done)
        run.taken_up = True
        run.agent_span_id = row.agent_span_id
        run.spent = _spent(row, done)
        return self._carried(run)

    def _carried(self, run: LiveRun) -> LiveRun:
        self._runner.take(run)
        self._runner.detach(run)
        return run

    async def fail(self, id: UUID, error: GatewayError) -> None:
        """Ends a run that nobody carries."""
        reason = self._scrubber.scrub(str(error))
        await give_up(self._database, id, RunStatus.ERROR, error.code, reason)
        self._runner.tell()

    async def cancel(self, id: UUID) -> bool:
        """The same for one that is not wanted any more. False when somebody carries it: it is
        then put down that it is to end, for a worker that is not reached.
        """
        error = Conflict("run_cancelled")
        done = await give_up(self._database, id, RunStatus.CANCELLED, error.code, str(error))
        if not done:
            await ask_cancel(self._database, id)
        self._runner.tell()
        return done

    async def beat_workers(self, ids: Sequence[int]) -> bool:
        """See `beat_workers`."""
        return await beat_workers(self._database, ids)

    async def requeue_stalled(self) -> int:
        """See `requeue_stalled_jobs`."""
        return await requeue_stalled_jobs(self._database)


def _queued(
    id: UUID, turn: Turn, lane: Lane, retries: int, request: dict[str, Any] | None
) -> QueuedRun:
    trace_id = uuid7()
    return QueuedRun(
        id=id,
        trace_id=trace_id,
        agent_id=turn.agent.id,
        user_id=turn.user_id,
        key_id=turn.key_id,
        channel=turn.channel,
        model=turn.request.model,
        provider_name=turn.provider_name,
        lane=lane,
        asked={
            "text": turn.new[-1].text,
            "session_key": turn.session_key,
            "retries": retries,
            "parent_trace_id": turn.parent_trace_id and str(turn.parent_trace_id),
        },
        queued_at=datetime.now(UTC),
        event_id=uuid7_text(),
        event={"id": id, "trace_id": trace_id, "channel": turn.channel},
        lock=_lock(turn),
        request=request,
    )


def _live(
    row: JobRun,
    turn: Turn,
    session_id: UUID,
    session_key: str,
    began: datetime,
    done: Sequence[ModelMessage] = (),
) -> LiveRun:
    return LiveRun(
        id=row.id,
        trace_id=row.trace_id,
        turn=turn,
        session_id=session_id,
        session_key=session_key,
        started_at=began,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        movable=True,
        started_ns=monotonic_ns() - _ns_since(began),
        done=tuple(done),
    )


def _spent(row: JobRun, done: Sequence[ModelMessage]) -> Spent:
    """What of it is committed."""
    return Spent(
        Usage(row.input_tokens, row.output_tokens, row.cached_tokens),
        row.cost_usd,
        model_calls=sum(message.role == "assistant" for message in done),
        tool_calls=sum(message.role == "tool" for message in done),
    )


def _ns_since(instant: datetime) -> int:
    return int((datetime.now(UTC) - instant).total_seconds() * 1_000_000_000)


def _lock(turn: Turn) -> str:
    """Names a session, though not whose it is."""
    named = "\n".join((str(turn.agent.id), turn.user_id, turn.session_key))
    return f"session:{sha256(named.encode()).hexdigest()}"
