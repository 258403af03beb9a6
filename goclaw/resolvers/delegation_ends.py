"""What came of tasks that agents gave one another: noted, and told to those that do not wait."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog

from goclaw.core.callers import system_caller
from goclaw.core.errors import Conflict, GatewayError
from goclaw.core.ids import uuid7
from goclaw.models.delegations import Delegation, DelegationMode, DelegationStatus
from goclaw.models.events import Audience, Event
from goclaw.models.runs import Run, RunStatus
from goclaw.models.shapes import now
from goclaw.resolvers.carrying import acting
from goclaw.resolvers.context import Context
from goclaw.resolvers.errands import ANNOUNCE, mute
from goclaw.resolvers.runs import spoken_turn
from goclaw.resolvers.services import Services
from goclaw.runtime.job_runs import Lane
from goclaw.runtime.steps import PREVIEW_CHARS
from goclaw.store.database import Db, fetch
from goclaw.store.delegations import (
    ABOUT_TO_DO,
    answers_of_run,
    delegation_at_work,
    ended_delegations,
    later,
    still_at_work,
    to_announce,
)
from goclaw.store.steps import inject
from goclaw.tools.external import marked

log = structlog.get_logger()

MAX_RESULT_CHARS: Final = 60_000
GATHER_S: Final = 1.0
"""How long results are waited for that may be told together."""
BUSY_S: Final = 10.0
WAITING: Final = frozenset({
    "session_busy",
    "session_queue_full",
    "job_queue_full",
    "runs_stopped",
    "runs_stopped_because",
})  # fmt: skip
"""Why results are told later."""

STATUSES: Final = {
    RunStatus.COMPLETED: DelegationStatus.COMPLETED,
    RunStatus.CANCELLED: DelegationStatus.CANCELLED,
    RunStatus.ERROR: DelegationStatus.FAILED,
}
HEAD: Final = "[From the gateway: what came of tasks that you gave. Go on with what matters of it.]"
MORE: Final = "[{count} more are at work; you are told of them later.]"


class ToDo(NamedTuple):
    """Whether runs of tasks have ended, and results are to be told."""

    ended: bool
    due: bool


async def what_is_to_do(services: Services) -> ToDo:
    row = (await fetch(services.database.pool, ABOUT_TO_DO, ()))[0]
    return ToDo(row.ended, row.due)


async def settle_ended(services: Services, only: UUID | None = None) -> int:
    """Notes what came of tasks whose runs have ended; tells of how many."""
    async with Context(services, system_caller(), "delegations").db() as db:
        rows = await ended_delegations(db, only)
        for task, run in rows:
            await _end(services, db, task, run)
    return len(rows)


async def fail(services: Services, id: UUID, error: GatewayError) -> None:
    """A task whose run could not begin."""
    async with Context(services, system_caller(), "delegations").db() as db:
        task = await delegation_at_work(db, id)
        if task is not None:
            task.status, task.error_code = DelegationStatus.FAILED, error.code
            task.error = services.scrubber.scrub(str(error))
            _close(db, task)


async def _end(services: Services, db: Db, task: Delegation, run: Run | None) -> None:
    if run is None:
        lost = Conflict("run_lost")
        task.status, task.error_code, task.error = DelegationStatus.FAILED, lost.code, str(lost)
    else:
        task.status = STATUSES[RunStatus(run.status)]
        task.error_code, task.error = run.error_code, run.error_message
        task.trace_id = run.trace_id
        task.input_tokens, task.output_tokens = run.input_tokens, run.output_tokens
        task.cost_usd = run.cost_usd
        task.iterations, said = await answers_of_run(db, run.id)
        if task.status is DelegationStatus.COMPLETED:
            task.result = services.scrubber.scrub(said)[:MAX_RESULT_CHARS]
    if task.mode == DelegationMode.ASYNC and task.parent_session_id is not None:
        task.announce_at = later(GATHER_S)
    _close(db, task, run)


def _close(db: Db, task: Delegation, run: Run | None = None) -> None:
    task.completed_at = task.updated_at = (run and run.ended_at) or now()
    took = task.completed_at - task.created_at
    task.duration_ms = max(0, round(took.total_seconds() * 1000))
    tell(db, task, f"delegation.{task.status}", error_code=task.error_code)


def tell(db: Db, task: Delegation, kind: str, **more: Any) -> None:
    """An event without an audit row: agents are no users."""
    payload = {
        "id": str(task.id),
        "kind": task.kind,
        "mode": task.mode,
        "label": task.label,
        "run_id": str(task.run_id),
        "parent_run_id": str(task.parent_run_id),
        "source_agent_id": str(task.source_agent_id),
        "target_agent_id": str(task.target_agent_id),
        **more,
    }
    db.add(
        Event(
            topic="delegation",
            kind=kind,
            user_id=task.user_id,
            agent_id=task.source_agent_id,
            audience=Audience.USER,
            payload=payload,
        )
    )


async def announce_due(services: Services) -> bool:
    """Tells one session what came of its tasks, all that is there of it; False when nothing is
    due. Raises Unavailable when the database is away.
    """
    async with Context(services, system_caller(), "delegations").db() as db:
        tasks = await to_announce(db)
        if not tasks:
            return False
        first = tasks[0]
        assert first.parent_session_id is not None
        count = await still_at_work(db, first.parent_session_id)
        again = None
        try:
            await _announce(services, first.parent_session_id, tasks, count)
        except GatewayError as error:
            if error.code == "database_unavailable":
                raise
            log.info(
                "delegation.not_told", session_id=str(first.parent_session_id), code=error.code
            )
            again = later(BUSY_S) if error.code in WAITING else None
        for task in tasks:
            task.announce_at = again
    return True


async def _announce(
    services: Services, session_id: UUID, tasks: Sequence[Delegation], count: int
) -> None:
    """To the run that is at work in the session, or else in one of its own."""
    first: Delegation = tasks[0]
    parent = await services.job_runs.find(first.parent_run_id)
    key_id = None if parent is None else parent.key_id
    user = await acting(services, first.user_id, key_id, first.id)
    session = await user.sessions.load(session_id)
    if session is None:
        return
    text = _report(tasks, count)
    told = {"text": services.scrubber.clip(text, PREVIEW_CHARS)}
    message = {"id": uuid7(), "content": text, "at": now()}
    if await inject(services.database, session.id, user.user_id, message, uuid7(), told, None):
        services.runner.tell()
        return
    turn = await spoken_turn(
        user, session.agent_id, session, text, channel=ANNOUNCE, session_key=session.key
    )
    turn.parent_trace_id = first.parent_trace_id
    mute(turn)
    retries = services.settings.job_retries
    await services.job_runs.queue(uuid7(), turn, Lane.SUBAGENT, retries, None)
    services.hub.wake()


def _report(tasks: Sequence[Delegation], count: int) -> str:
    parts = [f"{task.label} ({task.id}) {task.status}:\n{_outcome(task)}" for task in tasks]
    text = "\n\n".join((HEAD, marked("\n\n".join(parts))))
    return f"{text}\n\n{MORE.format(count=count)}" if count else text


def _outcome(task: Delegation) -> str:
    if task.status == DelegationStatus.COMPLETED:
        return task.result or "(It ended without a word.)"
    return task.error or "No reason is known."
