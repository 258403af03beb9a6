"""Chores: who does one now, and what has been done of it. A claim is a row and not an advisory
lock, as that one would not hold behind a pooler that hands each transaction to another backend.
"""

from datetime import datetime
from typing import Any, Final

from sqlmodel import col, select

from goclaw.models.chores import Chore
from goclaw.store.database import Database, Db, fetch

CLAIM_S: Final = 300
"""How long a claim holds without a word; a batch takes a tenth of that at most."""

CLAIM: Final = f"""
insert into chores (name, claimed_by, claimed_until, progress)
values ($1, $2, now() + interval '{CLAIM_S} seconds', '{{}}')
on conflict (name) do update
    set claimed_by = $2, claimed_until = now() + interval '{CLAIM_S} seconds'
    where (chores.done_at is null or chores.done_at < $3)
        and (chores.claimed_until is null or chores.claimed_until < now())
returning name"""
KEEP: Final = f"""
update chores set claimed_until = now() + interval '{CLAIM_S} seconds'
where name = $1 and claimed_by = $2 returning name"""
NOTED: Final = f"""
update chores set claimed_until = now() + interval '{CLAIM_S} seconds',
    progress = progress || jsonb_build_object($1::text,
        coalesce((progress ->> $1::text)::bigint, 0) + (select count(*) from gone))
where name = $2 and claimed_by = $3"""


async def claim_chore(database: Database, name: str, worker: str, due: datetime) -> bool:
    """False when it was done since `due`, or when somebody else is at it."""
    return bool(await fetch(database.pool, CLAIM, (name, worker, due)))


async def keep_chore(database: Database, name: str, worker: str) -> bool:
    """Says that the worker is still at it. False when the claim went to another one."""
    return bool(await fetch(database.pool, KEEP, (name, worker)))


async def finish_chore(db: Db, name: str, worker: str, at: datetime) -> dict[str, Any] | None:
    """What was done of it in all, also by workers that did not get to its end. None when the
    claim went to another worker.
    """
    mine = select(Chore).where(col(Chore.name) == name, col(Chore.claimed_by) == worker)
    chore = (await db.exec(mine.with_for_update())).one_or_none()
    if chore is None:
        return None
    done = chore.progress
    chore.done_at, chore.claimed_by, chore.claimed_until, chore.progress = at, None, None, {}
    return done
