"""What runs have used so far, by the rows of the runs themselves."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from goclaw.models.budgets import Budget, Holder, Unit
from goclaw.store.database import Database, fetch

USED: Final = {
    Unit.CENTS: "coalesce(sum(cost_usd), 0) * 100",
    Unit.TOKENS: "coalesce(sum(input_tokens::bigint + output_tokens), 0)",
}
WHOSE: Final = {
    Holder.AGENT: "agent_id = $1::text::uuid",
    Holder.USER: "user_id = $1::text",
    Holder.KEY: "key_id = $1::text::uuid",
}
AUDIENCES: Final = {Holder.AGENT: "agent", Holder.USER: "user", Holder.KEY: "admin"}

WARN: Final = """
with warned as (
    insert into budget_warnings (subject, since) values ($1, $2)
    on conflict do nothing returning subject
), told as (
    insert into events (id, topic, kind, user_id, agent_id, audience, payload)
    select $3, 'budget', 'budget.warning', $4::text, $5::uuid, $6::text, $7::jsonb from warned
)
select count(*) as warned from warned
"""


async def used_of(database: Database, budget: Budget, since: datetime) -> Decimal:
    """In the budget's unit, by runs that began since then. Ids carry the time, so an index finds
    them; a run whose price is not known costs nothing here, and its tokens count.
    """
    sql = f"select {USED[budget.unit]} as used from runs where {WHOSE[budget.holder]} and id >= $2"
    edge = UUID(int=int(since.timestamp() * 1000) << 80)
    rows = await fetch(database.pool, sql, (budget.id, edge))
    return Decimal(rows[0].used)


OTHERS: Final = """
select coalesce(sum(input_tokens::bigint + output_tokens), 0)::bigint as tokens,
    coalesce(sum(cost_usd), 0) as cost_usd
from runs
where id <> $2
    and (id = $1 or id in (select run_id from delegation_history where root_run_id = $1))
"""


async def used_by_others(database: Database, root_id: UUID, but: UUID) -> tuple[int, Decimal]:
    """Tokens and US dollars of a run and of all that carry out tasks which came of it, as far as
    their steps are committed; `but` is the one that asks.
    """
    row = (await fetch(database.pool, OTHERS, (root_id, but)))[0]
    return row.tokens, row.cost_usd


async def warn(
    database: Database, budget: Budget, since: datetime, event_id: UUID, payload: dict[str, Any]
) -> bool:
    """Once in a period; tells whether it was now."""
    holder = budget.holder
    arguments = (
        budget.subject,
        since,
        event_id,
        budget.id if holder is Holder.USER else None,
        UUID(budget.id) if holder is Holder.AGENT else None,
        AUDIENCES[holder],
        payload,
    )
    return bool((await fetch(database.pool, WARN, arguments))[0].warned)
