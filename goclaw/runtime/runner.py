"""Carries runs: begins them, asks the model, passes on what it says, ends them."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final
from uuid import UUID

import structlog

from goclaw.core.clock import clock_s
from goclaw.core.errors import Conflict, GatewayError, Unavailable
from goclaw.events.hub import EventHub
from goclaw.models.runs import RunStatus
from goclaw.providers.messages import Delta, Reply
from goclaw.runtime.accounts import Outcome, new_run
from goclaw.runtime.budgets import Budgets
from goclaw.runtime.compaction import Compactor, grew_too_long
from goclaw.runtime.limits import Limits
from goclaw.runtime.live import LiveRun, Turn, cancelled
from goclaw.runtime.loop import Loop
from goclaw.runtime.recent import RecentAnswers
from goclaw.runtime.retold import RetryNews
from goclaw.runtime.steps import Steps
from goclaw.runtime.trace_writer import TraceWriter
from goclaw.security.scrub import Scrubber
from goclaw.store.database import Database
from goclaw.store.queue import hand_back
from goclaw.store.runs import Ended, begin_run, end_run, end_unheard_run, keep_unread

log = structlog.get_logger()

END_FOR_S: Final = 600.0
"""How long the database may be away until an end that was to be written is given up."""

END_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 5.0
STOP_S: Final = 5.0
"""How long a server that stops waits for ends that are to be written."""


class Runner:
    """The runs of one worker."""

    def __init__(
        self,
        database: Database,
        hub: EventHub,
        traces: TraceWriter,
        scrubber: Scrubber,
        worker: str,
        limits: Limits,
    ) -> None:
        self.live: dict[UUID, LiveRun] = {}
        self.recent = RecentAnswers()
        self.stopping = False
        self.completed = 0
        self.failed = 0
        self._database = database
        self._hub = hub
        self._traces = traces
        self._scrubber = scrubber
        self.worker = worker
        self.awaited: dict[UUID, asyncio.Future[LiveRun]] = {}
        self._limits = limits
        self._budgets = Budgets(database, hub)
        self._retries = RetryNews(database, hub, worker)
        self._compactor = Compactor(database, traces, scrubber, self._budgets)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def begin(self, turn: Turn, request: dict[str, Any] | None = None) -> LiveRun:
        """Commits run, messages and event, and what is kept of an idempotent `request`. Raises
        Conflict when the session is busy, none continues, or the request was kept before, and
        BudgetExceeded.
        """
        if self.stopping:
            raise Unavailable("stopping", retry_after_s=5)
        await self.admit(turn)
        new = new_run(turn, self.worker, request)
        try:
            session = await begin_run(self._database, new)
        except asyncio.CancelledError:
            self._spawn(self._end_unheard(new.id))
            raise
        if session is None:
            raise Conflict("session_busy")
        # By name and not by attribute, which costs a failed look-up first.
        last_seq = session["message_count"]
        run = LiveRun(
            id=new.id,
            trace_id=new.trace_id,
            turn=turn,
            session_id=session["id"],
            session_key=session["key"],
            started_at=new.started_at,
            first_seq=last_seq - len(turn.new) + 1,
            last_seq=last_seq,
        )
        self.take(run)
        return run

    async def _end_unheard(self, id: UUID) -> None:
        """So that it does not hold its session until the lease is over."""
        try:
            await end_unheard_run(self._database, id, self.worker)
        except Unavailable:
            log.warning("run.left_behind", run_id=str(id))  # its silence will tell

    async def admit(self, turn: Turn) -> None:
        """Raises BudgetExceeded."""
        if turn.budgets:
            await self._budgets.admit(turn.budgets)

    def take(self, run: LiveRun) -> None:
        """From now on this worker carries the run, whose beginning is committed."""
        run.task = asyncio.current_task()
        self.live[run.id] = run
        awaited = self.awaited.get(run.id)
        if awaited is not None and not awaited.done():
            awaited.set_result(run)
        self._hub.wake()

    @contextmanager
    def awaiting(self, run_id: UUID) -> Iterator["asyncio.Future[LiveRun]"]:
        """What tells of a queued run that this worker begins to carry it."""
        future = self.awaited.setdefault(run_id, asyncio.get_running_loop().create_future())
        try:
            yield future
        finally:
            self.awaited.pop(run_id, None)

    def drop_lost(self, asked: Collection[UUID], ours: Collection[UUID]) -> None:
        """Of the movable runs `asked` about, those which are not `ours` any more are let go."""
        for id in set(asked).difference(ours):
            run = self.live.get(id)
            if run is not None and run.movable and run.task is not None:
                log.warning("run.taken_over", run_id=str(id))
                run.release()

    async def complete(self, run: LiveRun) -> Reply:
        """The whole answer at once. A caller that is cancelled cancels the run."""
        if run.turn.toolbox is not None:
            async for _ in self.stream(run):
                pass
            return run.whole or run.said
        run.task = asyncio.current_task()
        self._retries.of(run)
        try:
            run.reply = await run.turn.client.complete(run.turn.request)
        except GatewayError as error:
            await self._end(run, RunStatus.ERROR, error)
            raise
        except BaseException as raised:  # noqa: BLE001 - raised again
            raise await self._interrupted(run, raised) from None
        run.pieces.append(run.reply.content)
        await self._end(run, RunStatus.COMPLETED)
        return run.reply

    async def stream(self, run: LiveRun) -> AsyncGenerator[list[Delta], None]:
        """The answer as it comes. Closing the iterator before its end cancels the run."""
        run.task = asyncio.current_task()
        self._retries.of(run)
        loop = self._loop(run)
        try:
            source = run.turn.client.stream(run.turn.request) if loop is None else loop.deltas()
            async with aclosing(source) as chunks:
                async for deltas in chunks:
                    if loop is None:
                        run.take(deltas)
                    yield deltas
        except GatewayError as error:
            await self._end(run, RunStatus.ERROR, error)
            raise
        except BaseException as raised:  # noqa: BLE001 - raised again
            raise await self._interrupted(run, raised) from None
        await self._end(run, RunStatus.COMPLETED)

    def _loop(self, run: LiveRun) -> Loop | None:
        """None for a run without tools, whose model is asked once."""
        toolbox = run.turn.toolbox
        if toolbox is None:
            return None
        steps = Steps(
            run,
            self._database,
            self._hub,
            self._traces,
            self._scrubber,
            self._budgets,
            self.worker,
        )
        return Loop(run, toolbox, steps, self._limits, self._budgets)

    def cancel_all(self) -> None:
        for run in list(self.live.values()):
            run.cancel()

    def cancel_these(self, ids: Collection[UUID]) -> None:
        """Of runs that somebody cancelled without this worker hearing of it."""
        for id in ids:
            run = self.live.get(id)
            if run is not None and not run.cancel_requested:
                run.cancel()

    def tell(self) -> None:
        """Wakes whoever follows runs."""
        self._hub.wake()

    def detach(self, run: LiveRun) -> None:
        """Carries the run in the background; whoever wants to follow it watches it."""
        task = run.task = self._spawn(self._carry(run))
        task.add_done_callback(lambda _: self._end_unbegun(run, task))

    def _end_unbegun(self, run: LiveRun, task: "asyncio.Task[Any]") -> None:
        """A task that is cancelled before its first step has no occasion to end its run."""
        if task.cancelled() and run.cancel_requested and run.task is task:
            if run.released:
                self._spawn(self._let_go(run))
            else:
                self._spawn(self._end(run, RunStatus.CANCELLED, cancelled()))

    async def _carry(self, run: LiveRun) -> None:
        try:
            async for _ in self.stream(run):
                pass
        except GatewayError as error:
            log.info("run.failed", run_id=str(run.id), code=error.code)

    async def _interrupted(self, run: LiveRun, raised: BaseException) -> BaseException:
        """Ends a run that was cancelled, abandoned or broken; gives what is to be raised."""
        if not isinstance(raised, (asyncio.CancelledError, GeneratorExit)):
            await self._end(run, RunStatus.ERROR, GatewayError("internal", request_id=run.id))
            return raised
        if run.was_cancelled():
            if run.released:
                await self._let_go(run)
                return cancelled()
            await self._end(run, RunStatus.CANCELLED, cancelled())
            return cancelled()
        self._spawn(self._end(run, RunStatus.CANCELLED, cancelled()))
        return raised

    async def _let_go(self, run: LiveRun) -> None:
        """Whoever takes it up finds what is committed; what was said since is said anew."""
        run.task = None
        self.live.pop(run.id, None)
        try:
            await hand_back(self._database, run.id, self.worker)
        except Unavailable:
            log.warning("run.hand_back_failed", run_id=str(run.id))  # its silence will tell
        run.end(RunStatus.QUEUED)

    async def _end(
        self, run: LiveRun, status: RunStatus, error: GatewayError | None = None
    ) -> None:
        """Commits how the run ended. A database that is away is asked again in the background,
        so that an answer already given is not lost; so is one whose caller leaves meanwhile.
        """
        run.task = None  # it ends as it does, whoever cancels it from now on
        run.error = error
        outcome = Outcome(run, status, error, self._scrubber)
        try:
            await self._commit(outcome)
        except Unavailable:
            self._spawn(self._commit_later(outcome))
        except asyncio.CancelledError:
            self._spawn(self._commit_anyway(outcome))
            raise

    async def _commit(self, outcome: Outcome) -> None:
        try:
            end = outcome.run_end()
            if await end_run(self._database, end, self.worker) is Ended.UNREAD:
                await keep_unread(self._database, end.id)
        except Unavailable:
            raise
        except Exception:  # raised again; the run is over for this worker and its followers
            self._close(outcome)
            raise
        self._close(outcome)

    async def _commit_anyway(self, outcome: Outcome) -> None:
        """Once more, as nobody knows what became of the first time; it counts once."""
        try:
            await self._commit(outcome)
        except Unavailable:
            await self._commit_later(outcome)

    async def _commit_later(self, outcome: Outcome) -> None:
        until, attempt = clock_s() + END_FOR_S, 0
        while clock_s() < until:
            attempt += 1
            await asyncio.sleep(min(END_PAUSE_S * attempt, LONGEST_PAUSE_S))
            try:
                await self._commit(outcome)
            except Unavailable:
                log.warning("run.end_delayed", run_id=str(outcome.run.id), attempt=attempt)
            else:
                return
        log.error("run.end_lost", run_id=str(outcome.run.id))
        self._close(outcome)

    def _close(self, outcome: Outcome) -> None:
        if outcome.status is RunStatus.COMPLETED:
            self.completed += 1
        else:
            self.failed += 1
        self.live.pop(outcome.run.id, None)
        self.recent.keep(outcome.run)
        turn = outcome.run.turn
        if turn.budgets and outcome.run.calling:
            self._budgets.add(turn.budgets, outcome.reply.usage, outcome.call_cost_usd)
        self._trace(outcome)
        outcome.run.end(outcome.status)
        self._hub.wake()

    def _trace(self, outcome: Outcome) -> None:
        run, rules = outcome.run, outcome.run.turn.compaction
        compacts = rules is not None and grew_too_long(outcome)
        if run.agent_span_id is None and run.spent is None and not compacts:
            self._traces.add_later(outcome.chat_trace)
            return
        trace, spans = outcome.trace_rows()
        if run.agent_span_id is None:
            self._traces.add(trace, spans)
        else:
            self._traces.end(trace, spans)
        if rules is not None and compacts:
            self._spawn(self._compactor.compact(run, rules, trace, spans[0]))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def hand_back(self, grace_s: float) -> None:
        """Lets movable runs finish; those that take longer are left to other workers."""
        movable = [run for run in self.live.values() if run.movable]
        if not movable:
            return
        await asyncio.wait([asyncio.ensure_future(run.ended()) for run in movable], timeout=grace_s)
        for run in movable:
            if run.task is not None:
                run.release()

    async def stop(self, grace_s: float) -> None:
        """Lets detached runs finish, ends those that take longer or hands them back, waits for
        that.
        """
        self.stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for run in list(self.live.values()):
            if run.movable:
                run.release()
            else:
                run.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
