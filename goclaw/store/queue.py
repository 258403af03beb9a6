"""Runs that wait for a worker: put down together with their job, begun by whichever worker gets
it, taken up by another when that one died. Each step is one statement.

Whose run it is tells the column `worker`: nobody else writes what became of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import asyncpg

from goclaw.store.database import Database, fetch
from goclaw.store.pool import Row
from goclaw.store.runs import ENDED_UNATTENDED, FREE, LEASE_S, STALL_S, keep_unread

CARRY: Final = "carry_run"
"""What the task is called."""


@dataclass(slots=True)
class QueuedRun:
    """`asked` has the `text` and the `session_key`; `lock` keeps the jobs of a session apart."""

    id: UUID
    trace_id: UUID
    agent_id: UUID
    user_id: str
    key_id: UUID | None
    channel: str
    model: str
    provider_name: str
    lane: str
    asked: dict[str, Any]
    queued_at: datetime
    event_id: str
    event: dict[str, Any]
    lock: str
    request: dict[str, Any] | None = None


class Queued(Enum):
    """Whether a run was put down, or what hindered it."""

    YES = "yes"
    SESSION_FULL = "session_full"
    FULL = "full"
    KEPT = "kept"


_QUEUE: Final = f"""
with waiting as (
    select count(*) as total,
        count(*) filter (
            where agent_id = $3 and user_id = $4
                and asked ->> 'session_key' = $10::jsonb ->> 'session_key'
        ) as here
    from runs where status = 'queued'
){{claim}}, run as (
    insert into runs (id, trace_id, agent_id, user_id, key_id, channel, model, provider_name,
        lane, asked, started_at, heartbeat_at, status, first_seq, last_seq, input_tokens,
        output_tokens, cached_tokens, worker, attempts)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 'queued', 0, 0, 0, 0, 0, '', 0
    from waiting{{claimed}} where here < $16 and total < $17
    returning id
), job as (
    select procrastinate_defer_jobs_v1(array[row($9::text, '{CARRY}', 0, $15::text, null,
        jsonb_build_object('run_id', id), null)]::procrastinate_job_to_defer_v1[]) as ids
    from run
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select $12, 'run:' || id, 'run.queued', $4, $3, 'user', $13 from run
), asked as (
    insert into idempotent_requests (actor, operation, key, request_hash, result_id, created_at)
    select $14::jsonb ->> 'actor', $14::jsonb ->> 'operation', $14::jsonb ->> 'key',
        decode($14::jsonb ->> 'request_hash', 'hex'), id, $11
    from run where $14::jsonb is not null
){{noted}}
select here >= $16 as session_full, total >= $17 as full, job.ids
from waiting left join job on true
"""


def queue_statement(claim: str = "", noted: str = "") -> str:
    """`claim` is a CTE of that name that has a row where the run may be put down, `noted` is one
    of what is written besides. Their own parameters begin at $18.
    """
    return _QUEUE.format(
        claim=f", {claim}" if claim else "",
        claimed=", claim" if claim else "",
        noted=f", {noted}" if noted else "",
    )


QUEUE: Final = queue_statement()


async def queue_run(database: Database, run: QueuedRun, session_limit: int, limit: int) -> Queued:
    """Writes run, job and event, unless so many wait already: for the session, for all."""
    arguments = queue_arguments(run, session_limit, limit)
    try:
        row = (await fetch(database.pool, QUEUE, arguments, promptly=True))[0]
    except asyncpg.UniqueViolationError:  # the request is there now
        return Queued.KEPT
    return outcome(row)


def outcome(row: Row) -> Queued:
    """Of a statement of `queue_statement`."""
    if row.ids is not None:
        return Queued.YES
    if row.session_full:
        return Queued.SESSION_FULL
    return Queued.FULL if row.full else Queued.KEPT


def queue_arguments(run: QueuedRun, session_limit: int, limit: int) -> tuple[object, ...]:
    """$1 to $17."""
    return (
        run.id,
        run.trace_id,
        run.agent_id,
        run.user_id,
        run.key_id,
        run.channel,
        run.model,
        run.provider_name,
        run.lane,
        run.asked,
        run.queued_at,
        run.event_id,
        run.event,
        run.request,
        run.lock,
        session_limit,
        limit,
    )


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run as the job finds it, with the key and length of its session, and the span of its
    trace that is open. `is_silent`: its worker has said nothing for `STALL_S`.
    """

    id: UUID
    trace_id: UUID
    agent_id: UUID
    user_id: str
    key_id: UUID | None
    channel: str
    status: str
    asked: dict[str, Any] | None
    attempts: int
    session_id: UUID | None
    session_key: str | None
    message_count: int | None
    first_seq: int
    last_seq: int
    started_at: datetime
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Decimal | None
    agent_span_id: UUID | None
    parent_trace_id: UUID | None
    is_silent: bool


def _job_run(row: Row) -> JobRun:
    """The driver's own UUIDs cannot be written as JSON."""
    values: dict[str, Any] = {
        name: UUID(int=value.int) if isinstance(value, UUID) else value
        for name, value in row.items()
    }
    return JobRun(**values)


FIND: Final = f"""
select runs.id, trace_id, runs.agent_id, runs.user_id, key_id, runs.channel, status, asked,
    attempts, session_id, first_seq, last_seq, started_at, sessions.key as session_key,
    message_count, runs.input_tokens, runs.output_tokens, cached_tokens, cost_usd,
    (select id from spans where spans.trace_id = runs.trace_id and span_type = 'agent'
        and spans.status = 'running' limit 1) as agent_span_id,
    coalesce((asked ->> 'parent_trace_id')::uuid,
        (select parent_trace_id from traces where traces.id = runs.trace_id)) as parent_trace_id,
    heartbeat_at < now() - interval '{STALL_S} seconds' as is_silent
from runs left join sessions on sessions.id = runs.session_id
where runs.id = $1
"""


async def find_job_run(database: Database, id: UUID) -> JobRun | None:
    rows = await fetch(database.pool, FIND, (id,))
    return _job_run(rows[0]) if rows else None


@dataclass(slots=True)
class Beginning:
    """What a queued run begins with; `messages` are rows of `messages`, `seq` counts from 1."""

    id: UUID
    new_session_id: str
    session_key: str
    label: str | None
    model: str
    provider_name: str
    worker: str
    started_at: datetime
    messages: Sequence[dict[str, Any]]
    event_id: str
    takes_more: bool


BEGIN: Final = f"""
with held as (
    select id, agent_id, user_id, channel from runs where id = $1 and status = 'queued' for update
), found as (
    select id from sessions
    where agent_id = (select agent_id from held) and user_id = (select user_id from held)
        and key = $3
), kept as (
    update sessions set message_count = message_count + $9, updated_at = $8,
        lease_run_id = $1, lease_until = now() + interval '{LEASE_S} seconds'
    where id = (select id from found) and {FREE}
    returning id, key, message_count
), made as (
    insert into sessions (id, key, agent_id, user_id, channel, label, message_count,
        input_tokens, output_tokens, lease_run_id, lease_until, created_at, updated_at)
    select $2, $3, agent_id, user_id, channel, $4, $9, 0, 0, $1,
        now() + interval '{LEASE_S} seconds', $8, $8
    from held where not exists (select from found)
    returning id, key, message_count
), session as (
    select * from kept union all select * from made
), run as (
    update runs set status = 'running', session_id = session.id, model = $5, provider_name = $6,
        worker = $7, started_at = $8, heartbeat_at = now(), asked = null, attempts = 1,
        inbox = $12::jsonb,
        first_seq = message_count - $9 + 1, last_seq = message_count
    from session where runs.id = $1
    returning user_id, agent_id, trace_id, channel
), written as (
    insert into messages (id, session_id, run_id, seq, role, name, content, parts, tool_calls,
        tool_call_id, thoughts, is_error, created_at)
    select m.id, session.id, $1, session.message_count - $9 + m.seq, m.role, m.name, m.content,
        m.parts, m.tool_calls, m.tool_call_id, m.thoughts, coalesce(m.is_error, false), $8
    from session, jsonb_to_recordset($10) as m (id uuid, seq int, role text, name text,
        content text, parts jsonb, tool_calls jsonb, tool_call_id text, thoughts jsonb,
        is_error boolean)
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select $11, 'run:' || $1, 'run.started', run.user_id, run.agent_id, 'user',
        jsonb_build_object('id', $1, 'trace_id', run.trace_id, 'session_id', session.id,
            'channel', run.channel)
    from run, session
)
select id, key, message_count from session
"""


async def begin_queued(database: Database, beginning: Beginning) -> Row | None:
    """Writes messages and event, and reserves the session. Gives its `id`, `key` and
    `message_count`, or None when another run holds it, or this one waits no more.
    """
    arguments: tuple[Any, ...] = (
        beginning.id,
        beginning.new_session_id,
        beginning.session_key,
        beginning.label,
        beginning.model,
        beginning.provider_name,
        beginning.worker,
        beginning.started_at,
        len(beginning.messages),
        beginning.messages,
        beginning.event_id,
        [] if beginning.takes_more else None,
    )
    try:
        rows = await fetch(database.pool, BEGIN, arguments)
    except asyncpg.UniqueViolationError:  # a session of that key is there now
        return None
    return rows[0] if rows else None


TAKE_UP: Final = f"""
with held as (
    select id, session_id, last_seq from runs
    where id = $1 and status = 'running' and lane is not null and cancel_asked_at is null
        and heartbeat_at < now() - interval '{STALL_S} seconds'
    for update
), session as (
    update sessions set lease_run_id = $1, lease_until = now() + interval '{LEASE_S} seconds'
    where id = (select session_id from held) and message_count = (select last_seq from held)
        and (lease_run_id = $1 or {FREE})
    returning id
), run as (
    update runs set worker = $2, heartbeat_at = now(), attempts = attempts + 1,
        inbox = coalesce(inbox, '[]')
    from session where runs.id = $1
    returning user_id, agent_id, trace_id, attempts
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select gen_random_uuid(), 'run:' || $1, 'run.resumed', user_id, agent_id, 'user',
        jsonb_build_object('id', $1, 'trace_id', trace_id, 'attempts', attempts)
    from run
)
select attempts from run
"""


async def take_up(database: Database, id: UUID, worker: str) -> bool:
    """False when its worker spoke after all, something was said in its session since, or it is
    not wanted any more.
    """
    return bool(await fetch(database.pool, TAKE_UP, (id, worker)))


HAND_BACK: Final = """
update runs set heartbeat_at = 'epoch', attempts = attempts - 1
where id = $1 and worker = $2 and status = 'running'
"""


async def hand_back(database: Database, id: UUID, worker: str) -> None:
    """Another worker may take it up at once; this one did not die of it, and does not count."""
    await fetch(database.pool, HAND_BACK, (id, worker))


GIVE_UP: Final = f"""
with ended as (
    update runs set status = $2, ended_at = now(), error_code = $3, error_message = $4,
        asked = null
    where id = $1 and (status = 'queued'
        or status = 'running' and heartbeat_at < now() - interval '{STALL_S} seconds')
    {ENDED_UNATTENDED}"""


async def give_up(database: Database, id: UUID, status: str, code: str, reason: str) -> bool:
    """Ends a run that nobody carries; False when somebody does, or it has ended."""
    rows = await fetch(database.pool, GIVE_UP, (id, status, code, reason))
    if not rows[0].total:
        return False
    await keep_unread(database, id)
    return True


ASK_CANCEL: Final = """
update runs set cancel_asked_at = coalesce(cancel_asked_at, now())
where id = $1 and status = 'running'
"""


async def ask_cancel(database: Database, id: UUID) -> None:
    """Of whichever worker carries the run, should it not hear it otherwise."""
    await fetch(database.pool, ASK_CANCEL, (id,))
