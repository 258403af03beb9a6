"""Traces of runs that are over before anything of them was written, and had one model call at
most: one record each, of which PostgreSQL makes the rows. These tell the same three times over,
so a record takes the worker a third of what COPY of the rows does; and most traces are such.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypedDict
from uuid import UUID

import orjson

from goclaw.models.runs import RunStatus


class ChatTrace(TypedDict):
    """From `call_id` on it is about the model call, and not looked at where that is null, but for
    what was used, which is the trace's, too; `called_us` counts from `began`.
    """

    id: UUID
    parent_trace_id: UUID | None
    run_id: UUID
    agent_id: UUID
    agent_key: str
    user_id: str
    session_id: UUID
    session_key: str
    channel: str
    status: RunStatus
    began: datetime
    took_ms: int
    asked: str | None
    answered: str | None
    error: str | None
    span_id: str
    metadata: dict[str, Any] | None
    call_id: str | None
    called_us: int | None
    model: str | None
    provider: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    finish_reason: str | None
    first_seq: int | None
    last_seq: int | None
    call_metadata: dict[str, Any] | None


UNFOLD: Final = """
with run as (
    select *, began + took_ms * interval '1 ms' as ended,
        began + called_us * interval '1 us' as called, (call_id is not null)::integer as calls
    from json_to_recordset($1::json) as record(
        id uuid, parent_trace_id uuid, run_id uuid, agent_id uuid, agent_key text, user_id text,
        session_id uuid, session_key text, channel text, status text, began timestamptz,
        took_ms integer, asked text, answered text, error text, span_id uuid, metadata jsonb,
        call_id uuid, called_us bigint, model text, provider text, input_tokens integer,
        output_tokens integer, cost_usd numeric, finish_reason text, first_seq integer,
        last_seq integer, call_metadata jsonb
    )
), trace as (
    insert into traces (id, parent_trace_id, run_id, agent_id, user_id, session_id, session_key,
        name, channel, status, start_time, end_time, duration_ms, input_preview, output_preview,
        total_input_tokens, total_output_tokens, total_cost_usd,
        span_count, llm_call_count, tool_call_count, error, created_at)
    select id, parent_trace_id, run_id, agent_id, user_id, session_id, session_key,
        'chat ' || agent_key, channel, status, began, ended, took_ms, asked, answered,
        coalesce(input_tokens, 0), coalesce(output_tokens, 0), cost_usd,
        1 + calls, calls, 0, error, began
    from run
)
insert into spans (id, trace_id, parent_span_id, agent_id, span_type, name, status,
    start_time, end_time, duration_ms,
    model, provider, input_tokens, output_tokens, cost_usd, finish_reason,
    input_preview, output_preview, first_seq, last_seq, error, metadata, created_at)
select span_id, id, null, agent_id, 'agent', agent_key, status,
    began, ended, took_ms,
    null, null, null, null, null, null,
    asked, answered, null, null, error, metadata, began
from run
union all
select call_id, id, span_id, agent_id, 'llm_call', model, status,
    called, greatest(called, ended), greatest(took_ms - called_us / 1000, 0),
    model, provider, input_tokens, output_tokens, cost_usd, finish_reason,
    asked, answered, first_seq, last_seq, error, call_metadata, called
from run where calls = 1
"""
"""The end of a run is told in whole milliseconds, in the last of which its call may begin."""


def in_one(chats: Sequence[ChatTrace]) -> str:
    """What `UNFOLD` takes. Raises TypeError for what is no text."""
    return orjson.dumps(chats, default=str).decode()
