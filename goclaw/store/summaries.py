"""Summaries beside sessions: what was said up to one of their messages, in short."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from goclaw.models.sessions import Message
from goclaw.store.database import Database, fetch
from goclaw.store.pool import Row

SUMMARISED: Final = "select summary, summary_seq, message_count from sessions where id = $1"

AFTER: Final = """
select seq, role, name, content, parts, tool_calls, tool_call_id, thoughts, is_error
from messages where session_id = $1 and seq > $2 and seq <= $3 order by seq"""

KEEP: Final = """
with session as (
    update sessions set summary = $3, summary_seq = $4
    where id = $1 and summary_seq = $2 returning id
)
update runs set input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
    cost_usd = case when $8::numeric is null then cost_usd
        else coalesce(cost_usd, 0) + $8::numeric end
from session where runs.id = $5
returning runs.id
"""


async def summary_of(database: Database, session_id: UUID) -> Row | None:
    """`summary`, the `summary_seq` it goes up to, and `message_count`; None for a session that
    is gone.
    """
    rows = await fetch(database.pool, SUMMARISED, (session_id,))
    return rows[0] if rows else None


async def messages_between(
    database: Database, session_id: UUID, after: int, until: int
) -> list[Message]:
    """Without ids and times."""
    return list(await fetch(database.pool, AFTER, (session_id, after, until)))


@dataclass(frozen=True, slots=True)
class NewSummary:
    """Of the messages up to `until`, instead of the one that went up to `instead_of`. What it cost
    is added to the run after which it was made.
    """

    session_id: UUID
    instead_of: int
    text: str
    until: int
    run_id: UUID
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


async def keep_summary(database: Database, new: NewSummary) -> bool:
    """False when another one was faster."""
    arguments = (
        new.session_id,
        new.instead_of,
        new.text,
        new.until,
        new.run_id,
        new.input_tokens,
        new.output_tokens,
        new.cost_usd,
    )
    return bool(await fetch(database.pool, KEEP, arguments))
