"""Steps of a run while it goes on: what the model wants done, what came of it, what its user
says meanwhile. Each is one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from goclaw.store.database import Database, Reads, fetch
from goclaw.store.pool import Row

INBOX_LIMIT: Final = 5
"""Messages that wait for a run to take them."""

COLUMNS: Final = """id uuid, seq int, role text, name text, content text, parts jsonb,
        tool_calls jsonb, tool_call_id text, thoughts jsonb, is_error boolean"""
WRITTEN: Final = f"""
    insert into messages (id, session_id, run_id, seq, role, name, content, parts, tool_calls,
        tool_call_id, thoughts, is_error, created_at)
    select m.id, run.session_id, $1, run.before + m.seq, m.role, m.name, m.content, m.parts,
        m.tool_calls, m.tool_call_id, m.thoughts, coalesce(m.is_error, false), $2
    from run, jsonb_to_recordset($3) as m ({COLUMNS})
    where run.session_id is not null
    on conflict do nothing"""
TOLD: Final = """
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select e.id, 'run:' || $1, e.kind, user_id, agent_id, 'user', e.payload
    from run, jsonb_to_recordset($4) as e (id uuid, kind text, payload jsonb)
    on conflict do nothing"""

STEP: Final = f"""
with held as (
    select id, coalesce(inbox, '[]') as inbox from runs
    where id = $1 and status = 'running' and worker = $11 for update
), run as (
    update runs set input_tokens = $5, output_tokens = $6, cached_tokens = $7, cost_usd = $8,
        last_seq = last_seq + $9 + jsonb_array_length(held.inbox), heartbeat_at = now(),
        inbox = case when runs.inbox is null then null else '[]'::jsonb end
    from held where runs.id = $1
    returning session_id, user_id, agent_id, held.inbox as taken,
        last_seq - $9 - jsonb_array_length(held.inbox) as before
), session as (
    update sessions set updated_at = $2,
        message_count = message_count + $9 + jsonb_array_length((select taken from run))
    where id = (select session_id from run)
), written as ({WRITTEN}
), injected as (
    insert into messages (id, session_id, run_id, seq, role, content, is_error, created_at)
    select ($10::uuid[])[said.at], session_id, $1, before + $9 + said.at, 'user',
        said.message ->> 'content', false, (said.message ->> 'at')::timestamptz
    from run, jsonb_array_elements(taken) with ordinality as said (message, at)
    where session_id is not null
), told as ({TOLD}
)
select before, taken from run
"""

RESULT: Final = f"""
with run as (
    select session_id, user_id, agent_id, 0 as before, coalesce(inbox, '[]') <> '[]' as waits
    from runs where id = $1 and status = 'running' and worker = $5
), written as ({WRITTEN}
), told as ({TOLD}
)
select waits from run
"""

RETRYING: Final = """
insert into events (id, topic, kind, user_id, agent_id, audience, payload)
select $3, 'run:' || id, 'run.retrying', user_id, agent_id, 'user',
    $4::jsonb || jsonb_build_object('id', id)
from runs where id = $1 and status = 'running' and worker = $2
"""

LAST_TOLD: Final = """
select id, kind, payload from events where topic = $1 order by xid desc, id desc limit 1
"""

LAST_WORD: Final = """
update runs set inbox = case when inbox = '[]' then null else inbox end
where id = $1 and status = 'running' and worker = $2
returning inbox is not null as waits
"""

INJECT: Final = f"""
with run as (
    update runs set inbox = inbox || $3::jsonb
    where id = (select lease_run_id from sessions where id = $1 and user_id = $2)
        and status = 'running' and jsonb_array_length(inbox) < {INBOX_LIMIT}
    returning id, user_id, agent_id
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select $4, 'run:' || id, 'run.injected', user_id, agent_id, 'user',
        $5::jsonb || jsonb_build_object('id', id, 'at', $3::jsonb -> 0 ->> 'at')
    from run
), asked as (
    insert into idempotent_requests (actor, operation, key, request_hash, result_id, created_at)
    select $6::jsonb ->> 'actor', $6::jsonb ->> 'operation', $6::jsonb ->> 'key',
        decode($6::jsonb ->> 'request_hash', 'hex'), id, now()
    from run where $6::jsonb is not null
)
select id from run
"""

Json = dict[str, Any]


@dataclass(slots=True)
class Step:
    """`messages` are rows of `messages` whose `seq` counts from 1; `reserves` are so many places
    in the session, which those of results that are yet to come are among. The figures are the
    run's so far. `events` have id, kind and payload, `spare_ids` are for what the user said
    meanwhile.
    """

    run_id: UUID
    worker: str
    at: datetime
    messages: Sequence[Json]
    reserves: int
    events: Sequence[Json]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Decimal | None
    spare_ids: Sequence[UUID]


@dataclass(slots=True)
class Stepped:
    """`before` is the message of the session that the step followed; `said` is what the user
    said meanwhile, which stands behind what the step reserved.
    """

    before: int
    said: list[str] = field(default_factory=list)


async def write_step(database: Database, step: Step) -> Stepped | None:
    """None when the run has ended, or is another worker's by now."""
    rows = await fetch(
        database.pool,
        STEP,
        (
            step.run_id,
            step.at,
            step.messages,
            step.events,
            step.input_tokens,
            step.output_tokens,
            step.cached_tokens,
            step.cost_usd,
            step.reserves,
            step.spare_ids,
            step.worker,
        ),
    )
    if not rows:
        return None
    return Stepped(rows[0].before, [message["content"] for message in rows[0].taken])


async def write_result(
    database: Database, run_id: UUID, worker: str, at: datetime, message: Json, event: Json
) -> bool | None:
    """A row of `messages` with its place in the session; written once, however often it is
    handed in. Tells whether the user has said something meanwhile; None when the run has ended,
    or is another worker's by now.
    """
    rows = await fetch(database.pool, RESULT, (run_id, at, [message], [event], worker))
    return bool(rows[0].waits) if rows else None


async def note_retry(
    database: Database, run_id: UUID, worker: str, event_id: UUID, event: Json
) -> None:
    """Nothing is written of a run that has ended, or is another worker's by now."""
    await fetch(database.pool, RETRYING, (run_id, worker, event_id, event))


async def open_retry(reads: Reads, run_id: UUID) -> Row | None:
    """The `id` and `payload` of the event that a model call is made once more, when nothing else
    has been told of the run since.
    """
    rows = await reads.records(LAST_TOLD, (f"run:{run_id}",))
    return rows[0] if rows and rows[0].kind == "run.retrying" else None


async def has_last_word(database: Database, run_id: UUID, worker: str) -> bool:
    """Whether the run may end: the user has said nothing that it has not taken, and from now on
    nothing more is taken. So it is also when the run has ended, or is another worker's by now.
    """
    rows = await fetch(database.pool, LAST_WORD, (run_id, worker))
    return not rows or not rows[0].waits


async def inject(
    database: Database,
    session_id: UUID,
    user_id: str,
    message: Json,
    event_id: UUID,
    event: Json,
    request: Json | None,
) -> UUID | None:
    """Hands `message` to the run that holds the session, and tells its id; None when there is
    none, or it takes nothing, or no more, or the request was kept before.
    """
    arguments = (session_id, user_id, [message], event_id, event, request)
    try:
        rows = await fetch(database.pool, INJECT, arguments, promptly=True)
    except asyncpg.UniqueViolationError:  # the same request is under way
        return None
    return rows[0].id if rows else None
