"""Carrying runs that were queued: what the job of a run does, on whichever worker it lands."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from goclaw.core.callers import SYSTEM, Caller, Scope, effective, system_caller
from goclaw.core.errors import Conflict, GatewayError, NotFound, Unauthenticated, Unavailable
from goclaw.core.settings import Settings
from goclaw.models.api_keys import ApiKey
from goclaw.models.runs import RunStatus
from goclaw.models.sessions import MessageRole
from goclaw.models.shapes import now
from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.resolvers.context import Context
from goclaw.resolvers.errands import equip_queued
from goclaw.resolvers.long_context import compaction_of, context_of, history_limit
from goclaw.resolvers.runs import spoken_turn
from goclaw.resolvers.services import Services
from goclaw.resolvers.turns import Spoken, chat_target, new_turn
from goclaw.runtime.history import lacks_contents, taken_up
from goclaw.runtime.job_runs import Lane
from goclaw.runtime.live import LiveRun, Turn
from goclaw.runtime.stubborn import StubbornClient
from goclaw.runtime.upkeep import BEAT_S
from goclaw.store.queue import CARRY, JobRun
from goclaw.store.runs import STALL_S
from goclaw.store.sessions import messages_until, session_by_key
from goclaw.tools.toolbox import Toolbox

__all__ = ["BEAT_S", "CARRY", "STALL_S", "carry_run"]

log = structlog.get_logger()

MOST_ATTEMPTS: Final = 3
"""Workers that may begin to carry a run, as one may be what takes them down."""

BUSY_S: Final = 1
ELSEWHERE_S: Final = 2
AWAY_S: Final = 2


class NotYet(Exception):
    """The job is to be tried again in so many seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"again in {wait_s} s")
        self.wait_s = wait_s


async def carry_run(services: Services, run_id: UUID) -> None:
    """Sees a run to its end, as often as it is asked to. Raises NotYet when its session is busy,
    another worker carries it, or this one may not carry it to its end.
    """
    live = services.runner.live.get(run_id)
    if live is None:
        live = await _taken(services, run_id)
    if live is None:
        return
    await live.ended()
    if live.status is RunStatus.QUEUED:
        raise NotYet(0)


async def _taken(services: Services, run_id: UUID) -> LiveRun | None:
    """None when the run has ended."""
    if services.runner.stopping:
        raise NotYet(0)
    try:
        row = await services.job_runs.find(run_id)
        if row is None or row.status not in {RunStatus.QUEUED, RunStatus.RUNNING}:
            return None
        begin = _begun if row.status == RunStatus.QUEUED else _taken_up
        return await begin(services, row)
    except Unavailable as error:
        if error.code != "database_unavailable":
            raise
        raise NotYet(AWAY_S) from error


async def _begun(services: Services, row: JobRun) -> LiveRun | None:
    try:
        ctx = await acting(services, row.user_id, row.key_id, row.id)
        turn = await _queued_turn(ctx, row)
        live = await services.job_runs.begin(row, turn)
    except GatewayError as error:
        await _failed(services, row.id, error)
        return None
    if live is None:
        raise NotYet(BUSY_S)
    return live


async def _queued_turn(ctx: Context, row: JobRun) -> Turn:
    agent, asked = row.agent_id, row.asked
    assert asked is not None
    target = await chat_target(ctx, agent, or_default=False)
    session = await session_by_key(ctx.reads, target.id, ctx.user_id, asked["session_key"])
    turn = await spoken_turn(
        ctx,
        agent,
        session,
        asked["text"],
        channel=row.channel,
        session_key=asked["session_key"],
    )
    await _equip(ctx, turn, row)
    if asked["retries"]:
        turn.client = StubbornClient(turn.client, asked["retries"])
    return turn


async def _taken_up(services: Services, row: JobRun) -> LiveRun | None:
    if not row.is_silent:
        raise NotYet(ELSEWHERE_S)
    try:
        ctx = await acting(services, row.user_id, row.key_id, row.id)
        turn, done = await _left_turn(ctx, row)
        live = await services.job_runs.take_up(row, turn, done)
    except GatewayError as error:
        await _failed(services, row.id, error)
        return None
    if live is None:
        raise NotYet(ELSEWHERE_S)
    log.info("run.taken_up", run_id=str(row.id), attempts=row.attempts + 1)
    return live


async def _left_turn(ctx: Context, row: JobRun) -> tuple[Turn, list[ModelMessage]]:
    """What a run that another worker left was asked, and what it had done. Raises Conflict where
    that is not known, or there is no going on.
    """
    if row.attempts >= MOST_ATTEMPTS or row.session_id is None or row.session_key is None:
        raise Conflict("run_lost")
    if row.message_count != row.last_seq:
        raise Conflict("run_lost")
    target = await chat_target(ctx, row.agent_id, or_default=False)
    limit = history_limit(target) + row.last_seq - row.first_seq + 1
    rows = await messages_until(ctx.reads, row.session_id, row.last_seq, limit)
    session = await session_by_key(ctx.reads, target.id, ctx.user_id, row.session_key)
    if session is None or any(map(lacks_contents, rows)):
        raise Conflict("run_lost")
    own = [message for message in rows if message.seq >= row.first_seq]
    if not own or (own[-1].role == MessageRole.ASSISTANT and not own[-1].tool_calls):
        raise Conflict("run_lost")
    kept = context_of(target, session, [said for said in rows if said.seq < row.first_seq])
    asked, *done = taken_up(own)
    turn = await new_turn(
        ctx,
        target,
        Spoken(kept, [asked], bytes(session.prefix_hash or b"")),
        channel=row.channel,
        session_id=row.session_id,
        session_key=row.session_key,
        options=ModelRequest(model="", messages=[]),
    )
    turn.request.messages += done
    turn.toolbox = turn.toolbox or Toolbox((), ctx.services.scrubber.scrub)
    turn.compaction = compaction_of(target)
    await _equip(ctx, turn, row)
    return turn, done


async def _equip(ctx: Context, turn: Turn, row: JobRun) -> None:
    turn.run_id, turn.parent_trace_id = row.id, row.parent_trace_id
    await equip_queued(ctx.services, turn, row.channel)


async def _failed(services: Services, run_id: UUID, error: GatewayError) -> None:
    """Raises the error when the database is away: that is none of the run's."""
    if error.code == "database_unavailable":
        raise error
    log.info("run.not_carried", run_id=str(run_id), code=error.code)
    await services.job_runs.fail(run_id, error)


async def acting(
    services: Services, user_id: str, key_id: UUID | None, request_id: object
) -> Context:
    """In the name of whoever asked, who is not there any more. Raises NotFound and
    Unauthenticated when the key that asked holds no more.
    """
    is_owner = user_id in services.settings.owner_ids
    caller = Caller(effective(frozenset({Scope.WRITE})), user_id, None, is_owner)
    if user_id == SYSTEM:
        caller = system_caller()
    if key_id is not None:
        key = await _valid_key(services, key_id)
        caller = caller._replace(
            key_id=key_id,
            agent_ids=None if key.agent_ids is None else frozenset(key.agent_ids),
            budget_monthly_cents=key.budget_monthly_cents,
            tokens_per_day=key.tokens_per_day,
        )
    return Context(services, caller, str(request_id))


async def _valid_key(services: Services, key_id: UUID) -> ApiKey:
    key = await Context(services, system_caller(), str(key_id)).api_keys.load(key_id)
    if key is None:
        raise NotFound("api_key_not_found", id=key_id)
    if key.revoked:
        raise Unauthenticated("api_key_revoked")
    if key.expires_at is not None and key.expires_at <= now():
        raise Unauthenticated("api_key_expired")
    return key


def job_lanes(settings: Settings) -> list[tuple[str, int]]:
    """The lanes whose runs are jobs, and how many of each a worker carries at once."""
    return [
        (Lane.MAIN, settings.lane_main),
        (Lane.CRON, settings.lane_cron),
        (Lane.SUBAGENT, settings.lane_subagent),
        (Lane.DELEGATE, settings.lane_delegate),
    ]


async def beat_workers(services: Services, ids: Sequence[int]) -> bool:
    """Says that these workers live; False when one was taken for dead."""
    return await services.job_runs.beat_workers(ids)


async def requeue_stalled(services: Services) -> int:
    """Has jobs begun anew whose worker is silent; tells how many."""
    return await services.job_runs.requeue_stalled()
