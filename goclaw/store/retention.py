"""Deleting what is older than it is to be kept: each batch is one statement, which also notes
how far the chore has come, so that it goes on where it was left.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from goclaw.store.chores import NOTED
from goclaw.store.database import Database, fetch

BATCH: Final = 2000
"""Rows of one statement; of sessions it is their messages that are counted."""

USED: Final = """
insert into usage_days (day, agent_id, user_id, provider_name, model, runs, unpriced_runs,
    input_tokens, output_tokens, cached_tokens, cost_usd)
select date_trunc('day', started_at, 'UTC'), agent_id, user_id, provider_name, model, count(*),
    count(*) filter (where cost_usd is null), sum(input_tokens), sum(output_tokens),
    sum(cached_tokens), coalesce(sum(cost_usd), 0)
from gone, counted where counted.until is null or gone.ended_at >= counted.until
group by 1, 2, 3, 4, 5
on conflict (day, agent_id, user_id, provider_name, model) do update set
    runs = usage_days.runs + excluded.runs,
    unpriced_runs = usage_days.unpriced_runs + excluded.unpriced_runs,
    input_tokens = usage_days.input_tokens + excluded.input_tokens,
    output_tokens = usage_days.output_tokens + excluded.output_tokens,
    cached_tokens = usage_days.cached_tokens + excluded.cached_tokens,
    cost_usd = usage_days.cost_usd + excluded.cost_usd"""
"""Money is not forgotten: what runs used that are in no hour yet is added to their day before
they go.
"""
COUNTED: Final = "counted as (select (select until from usage_counted for share) as until)"
"""Waits for an hour that is being counted, so that its runs are in one of the two."""


def _statement(*tables: str) -> str:
    """Deletes in the order of the tables; the first is what is counted."""
    return f"with {', '.join(tables)}, noted as ({NOTED}) select count(*) as total from gone"


def _older(table: str, condition: str = "true") -> str:
    """Ids carry the time, so the oldest rows are the first of the primary key."""
    return f"""gone as (delete from {table} where id = any(array(
        select id from {table} where id < $4::uuid and {condition} order by id limit {BATCH}))
    returning *)"""


SESSIONS: Final = f"""gone as (delete from sessions where id = any(array(
        select id from (
            select id, sum(message_count) over (order by id) - message_count as messages_before
            from (
                select id, message_count from sessions
                where id < $4::uuid and updated_at < $5
                    and (lease_until is null or lease_until < now())
                order by id limit {BATCH} for update skip locked
            ) as oldest
        ) as counted where messages_before < {BATCH}))
    returning id)"""

STATEMENTS: Final[Mapping[str, str]] = {
    "sessions": _statement(SESSIONS),
    "spans": _statement(_older("spans")),
    "traces": _statement(
        _older("traces"),
        "steps as (delete from spans using gone where spans.trace_id = gone.id)",
    ),
    "cron_runs": _statement(
        _older("cron_runs", "status <> 'started' and delivery is distinct from 'pending'")
    ),
    "delegations": _statement(
        _older("delegation_history", "status <> 'running' and announce_at is null")
    ),
    "runs": _statement(
        _older("runs", "status not in ('queued', 'running')"), COUNTED, f"used as ({USED})"
    ),
    "activity": _statement(_older("activity_logs")),
}
"""By what is deleted. Spans are younger than their trace, so what is due of them goes before."""


async def delete_batch(
    database: Database, what: str, before: datetime, chore: str, worker: str
) -> int:
    """The oldest rows of before that instant; tells how many went. A session counts as old when
    it was last used before, and never while a run holds it.
    """
    edge = UUID(int=int(before.timestamp() * 1000) << 80)
    arguments: list[object] = [what, chore, worker, edge]
    if what == "sessions":
        arguments.append(before)
    return int((await fetch(database.pool, STATEMENTS[what], arguments))[0].total)
