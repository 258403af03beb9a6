"""Runs as they happen: each step of a chat call is one statement, so one round trip."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlmodel import col

from goclaw.core.errors import Conflict
from goclaw.core.paging import Page, PageRequest
from goclaw.models.runs import Run, RunStatus, RunView
from goclaw.store.database import Database, Reads, fetch
from goclaw.store.pages import (
    Total,
    among_ids,
    count_of,
    equals_if_given,
    fetch_count,
    fetch_page,
    newest_first,
)
from goclaw.store.pool import Row
from goclaw.store.query import Query

LEASE_S: Final = 60
"""How long a session stays reserved for a run that no longer says it lives."""

STALL_S: Final = 10
"""How long a worker may be silent before what it carries is anybody's to take up or cancel."""

LARGE_CHARS: Final = 50_000

FILTERS = ("agent_id", "session_id", "status")
MATCHES = tuple(equals_if_given(col(getattr(Run, name)), name) for name in FILTERS)

BY_ID = Query[RunView](lambda visible: select(Run).where(visible(Run), among_ids(Run.id)))
PAGE = Query[RunView](
    lambda visible: newest_first(select(Run).where(visible(Run), *MATCHES), col(Run.id))
)
TOTAL = Query[Total](lambda visible: count_of(Run, visible(Run), *MATCHES))
INBOX = Query[Row](lambda visible: select(Run.inbox).where(visible(Run), among_ids(Run.id)))  # type: ignore[call-overload]


async def runs_by_id(reads: Reads, ids: Collection[UUID]) -> dict[UUID, RunView]:
    return {row.id: row for row in await BY_ID.fetch(reads, ids=list(ids))}


async def runs_page(reads: Reads, request: PageRequest, **filters: object) -> Page[RunView]:
    """`filters` are the names in `FILTERS`; None leaves one out."""
    return await fetch_page(PAGE, reads, request, **filters)


async def count_runs(reads: Reads, **filters: object) -> int:
    return await fetch_count(TOTAL, reads, **filters)


async def inbox_of(reads: Reads, id: UUID) -> Sequence[dict[str, Any]]:
    """What the user said that a run has not taken yet, in order: `content`, and `at` as text."""
    rows = await INBOX.fetch(reads, ids=[id])
    return (rows[0].inbox or ()) if rows else ()


@dataclass(slots=True)  # a frozen one takes three times as long to make
class NewRun:
    """`messages` are rows of `messages` without session and run; `seq` counts from 1 here.
    With `continues` the run goes on with the user's newest free session of that prefix hash;
    with neither it nor `session_id` a session is made. `request` is a row of
    `idempotent_requests` that leads to the run, with its hash in hexadecimal. `takes_more` is
    whether the user may say more while it goes on.
    """

    id: UUID
    trace_id: UUID
    session_id: UUID | None
    continues: bytes | None
    new_session_id: str
    session_key: str
    label: str | None
    agent_id: UUID
    user_id: str
    key_id: UUID | None
    channel: str
    model: str
    provider_name: str
    worker: str
    started_at: datetime
    messages: Sequence[dict[str, Any]]
    event_id: str
    request: dict[str, Any] | None = None
    takes_more: bool = False


FREE: Final = "(lease_until is null or lease_until < now())"
BEGIN: Final = f"""
with kept as (
    update sessions set message_count = message_count + $14, updated_at = $13,
        lease_run_id = $1, lease_until = now() + interval '{LEASE_S} seconds'
    where id = coalesce($3::uuid, (
            select id from sessions
            where $19::bytea is not null and prefix_hash = $19::bytea and agent_id = $7
                and user_id = $8 and {FREE}
            order by id desc limit 1))
        and {FREE} and ($19::bytea is null or prefix_hash = $19::bytea)
    returning id, key, message_count
), made as (
    insert into sessions (id, key, agent_id, user_id, channel, label, message_count,
        input_tokens, output_tokens, lease_run_id, lease_until, created_at, updated_at)
    select $4, $5, $7, $8, $10, $6, $14, 0, 0, $1, now() + interval '{LEASE_S} seconds', $13, $13
    where $3::uuid is null and $19::bytea is null
    returning id, key, message_count
), session as (
    select * from kept union all select * from made
), run as (
    insert into runs (id, session_id, agent_id, trace_id, user_id, key_id, channel, status,
        model, provider_name, first_seq, last_seq, input_tokens, output_tokens, cached_tokens,
        worker, started_at, heartbeat_at, inbox)
    select $1, id, $7, $2, $8, $9, $10, 'running', $11, $12, message_count - $14 + 1,
        message_count, 0, 0, 0, $15, $13, $13, $20::jsonb
    from session
), written as (
    insert into messages (id, session_id, run_id, seq, role, name, content, parts, tool_calls,
        tool_call_id, thoughts, is_error, created_at)
    select m.id, session.id, $1, session.message_count - $14 + m.seq, m.role, m.name, m.content,
        m.parts, m.tool_calls, m.tool_call_id, m.thoughts, coalesce(m.is_error, false), $13
    from session, jsonb_to_recordset($16) as m (id uuid, seq int, role text, name text,
        content text, parts jsonb, tool_calls jsonb, tool_call_id text, thoughts jsonb,
        is_error boolean)
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select $17, 'run:' || $1, 'run.started', $8, $7, 'user',
        jsonb_build_object('id', $1, 'trace_id', $2, 'session_id', id, 'channel', $10)
    from session
), asked as (
    insert into idempotent_requests (actor, operation, key, request_hash, result_id, created_at)
    select $18::jsonb ->> 'actor', $18::jsonb ->> 'operation', $18::jsonb ->> 'key',
        decode($18::jsonb ->> 'request_hash', 'hex'), $1, $13
    from session where $18::jsonb is not null
)
select $1::uuid as run_id, id, key, message_count from session
"""


async def begin_run(database: Database, run: NewRun) -> Row | None:
    """Writes run, messages and event, and reserves the session. Gives its `id`, `key` and
    `message_count`, or None when another run holds the session, none continues, or the request
    was kept before.
    """
    arguments: tuple[object, ...] = (
        run.id,
        run.trace_id,
        run.session_id,
        run.new_session_id,
        run.session_key,
        run.label,
        run.agent_id,
        run.user_id,
        run.key_id,
        run.channel,
        run.model,
        run.provider_name,
        run.started_at,
        len(run.messages),
        run.worker,
        run.messages,
        run.event_id,
        run.request,
        run.continues,
        [] if run.takes_more else None,
    )
    try:
        if _is_large(run.messages):
            rows = await fetch(database.pool, BEGIN, arguments, promptly=True)
            return rows[0] if rows else None
        return await database.grouped(BEGIN, arguments, promptly=True)
    except asyncpg.UniqueViolationError:  # a session of that key, or the request, is there now
        return None


def _is_large(messages: Sequence[dict[str, Any]]) -> bool:
    """They would keep those waiting that go together with them."""
    return sum([len(message["content"]) for message in messages]) > LARGE_CHARS


@dataclass(slots=True)
class RunEnd:
    """How a run ended; `message` is the answer as a row of `messages`, if there is one."""

    id: UUID
    status: RunStatus
    ended_at: datetime
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Decimal | None
    error_code: str | None
    error_message: str | None
    prefix_hash: bytes | None
    message: dict[str, Any] | None
    event_id: str


NOTHING_SAID: Final = {"id": None, "content": None, "tool_calls": None}

END: Final = """
with run as (
    update runs set status = $2, ended_at = $3, input_tokens = $4, output_tokens = $5,
        cached_tokens = $6, cost_usd = $7, error_code = $8, error_message = $9,
        last_seq = last_seq + $11
    where id = $1 and status = 'running' and worker = $17
    returning session_id, trace_id, user_id, agent_id, last_seq,
        coalesce(inbox <> '[]', false) as unread
), session as (
    update sessions set lease_run_id = null, lease_until = null, updated_at = $3,
        prefix_hash = coalesce($10, prefix_hash), message_count = message_count + $11,
        input_tokens = input_tokens + $4, output_tokens = output_tokens + $5
    where id = (select session_id from run)
), written as (
    insert into messages (id, session_id, run_id, seq, role, content, tool_calls, thoughts,
        created_at)
    select $12::uuid, session_id, $1, last_seq, 'assistant', $13, $14, $15, $3
    from run where $11 = 1 and session_id is not null
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select $16, 'run:' || $1, 'run.ended', user_id, agent_id, 'user',
        jsonb_build_object('id', $1, 'trace_id', trace_id, 'session_id', session_id,
            'status', $2, 'input_tokens', $4, 'output_tokens', $5, 'error_code', $8)
    from run
)
select $1::uuid as run_id, unread from run
"""

UNREAD: Final = """
with held as (
    select id, session_id, inbox from runs
    where inbox <> '[]' and status <> 'running' and ($1::uuid is null or id = $1) for update
), run as (
    update runs set inbox = null, last_seq = last_seq + jsonb_array_length(held.inbox)
    from held where runs.id = held.id
), session as (
    update sessions set message_count = message_count + jsonb_array_length(held.inbox)
    from held where sessions.id = held.session_id
    returning held.id, held.inbox, sessions.id as session_id,
        message_count - jsonb_array_length(held.inbox) as before
)
insert into messages (id, session_id, run_id, seq, role, content, is_error, created_at)
select (said.message ->> 'id')::uuid, session_id, session.id, before + said.at, 'user',
    said.message ->> 'content', false, (said.message ->> 'at')::timestamptz
from session, jsonb_array_elements(inbox) with ordinality as said (message, at)
"""


class Ended(Enum):
    """`UNREAD`: the user said something meanwhile that the run has not taken. `BEFORE`: the run
    had ended, or is another worker's by now.
    """

    NOW = "now"
    UNREAD = "unread"
    BEFORE = "before"


async def end_run(database: Database, end: RunEnd, worker: str) -> Ended:
    """Writes answer, figures and event, and frees the session."""
    message = end.message or NOTHING_SAID
    arguments = (
        end.id,
        end.status,
        end.ended_at,
        end.input_tokens,
        end.output_tokens,
        end.cached_tokens,
        end.cost_usd,
        end.error_code,
        end.error_message,
        end.prefix_hash,
        0 if end.message is None else 1,
        message["id"],
        message["content"],
        message["tool_calls"],
        message.get("thoughts"),
        end.event_id,
        worker,
    )
    row = await database.grouped(END, arguments)
    if row is None:
        return Ended.BEFORE
    return Ended.UNREAD if row["unread"] else Ended.NOW


async def keep_unread(database: Database, id: UUID | None = None) -> None:
    """What the user said too late becomes the last messages of the session: of one run that has
    ended, or of all.
    """
    await fetch(database.pool, UNREAD, (id,))


ENDED_UNATTENDED: Final = """
    returning id, status, error_code, session_id, trace_id, user_id, agent_id, input_tokens,
        output_tokens, cost_usd
), trace as (
    update traces set status = ended.status, end_time = now(), error = ended.error_code,
        duration_ms = extract(epoch from now() - start_time) * 1000,
        total_input_tokens = input_tokens, total_output_tokens = output_tokens,
        total_cost_usd = cost_usd, span_count = counted.spans,
        llm_call_count = counted.model_calls, tool_call_count = counted.tool_calls
    from ended, lateral (
        select count(*) as spans, count(*) filter (where span_type = 'llm_call') as model_calls,
            count(*) filter (where span_type = 'tool_call') as tool_calls
        from spans where spans.trace_id = ended.trace_id
    ) as counted
    where traces.id = ended.trace_id and traces.status = 'running'
), span as (
    update spans set status = ended.status, end_time = now(), error = ended.error_code,
        duration_ms = extract(epoch from now() - start_time) * 1000
    from ended where spans.trace_id = ended.trace_id and spans.status = 'running'
), freed as (
    update sessions set lease_run_id = null, lease_until = null
    from ended where sessions.id = ended.session_id and sessions.lease_run_id = ended.id
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select gen_random_uuid(), 'run:' || id, 'run.ended', user_id, agent_id, 'user',
        jsonb_build_object('id', id, 'trace_id', trace_id, 'session_id', session_id,
            'status', status, 'error_code', error_code)
    from ended
)
select count(*) as total from ended
"""
"""What follows `with ended as (update runs ...` for runs that nobody carries any more: their
traces end, their sessions are free, their followers are told.
"""

LOST: Final = f"""
with ended as (
    update runs set ended_at = now(),
        status = case when cancel_asked_at is null then 'error' else 'cancelled' end,
        error_code = case when cancel_asked_at is null then 'run_lost' else 'run_cancelled' end,
        error_message = case when cancel_asked_at is null
            then 'the server that carried the run stopped' else $1 end
    where status = 'running' and (
        lane is null and heartbeat_at < now() - interval '{LEASE_S} seconds'
        or cancel_asked_at is not null and heartbeat_at < now() - interval '{STALL_S} seconds')
    {ENDED_UNATTENDED}"""


UNHEARD: Final = f"""
with ended as (
    update runs set ended_at = now(), status = 'cancelled', error_code = 'run_cancelled',
        error_message = $3
    where id = $1 and worker = $2 and status = 'running'
    {ENDED_UNATTENDED}"""


async def end_unheard_run(database: Database, id: UUID, worker: str) -> None:
    """Of a caller who left while it was begun; does nothing if that came to nothing."""
    await fetch(database.pool, UNHEARD, (id, worker, str(Conflict("run_cancelled"))))


async def end_lost_runs(database: Database) -> int:
    """Ends the runs whose worker has not spoken for longer than a lease; tells how many. Those
    that another worker may take up are left to it, but for those that somebody cancelled.
    """
    rows = await fetch(database.pool, LOST, (str(Conflict("run_cancelled")),))
    lost = int(rows[0].total)
    if lost:
        await keep_unread(database)
    return lost
