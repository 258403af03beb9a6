"""The epoch of what workers remember, and which workers remember anything."""

from typing import Final, NamedTuple

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from goclaw.models.trust import TrustEpoch
from goclaw.store.database import Db, fetch
from goclaw.store.pool import Pool

NEXT_EPOCH: Final = (
    insert(TrustEpoch)
    .values(id=1, epoch=1)
    .on_conflict_do_update(index_elements=["id"], set_={"epoch": col(TrustEpoch.epoch) + 1})
    .returning(col(TrustEpoch.epoch))
)
STANDING: Final = """
select coalesce((select epoch from trust_epoch), 0) as epoch, exists (
    select from trusting_workers where name = $1 and seen_at > now() - interval '10 seconds'
) as registered"""
REGISTER: Final = """
with gone as (delete from trusting_workers where seen_at < now() - interval '1 minute')
insert into trusting_workers (name, seen_at) values ($1, now())
on conflict (name) do update set seen_at = excluded.seen_at"""
FORGET: Final = "delete from trusting_workers where name = $1"
WORKERS: Final = """
select name from trusting_workers where seen_at > now() - interval '30 seconds'"""


class Standing(NamedTuple):
    """`registered`: the worker will be among `workers` for 20 s more, at least."""

    epoch: int
    registered: bool


async def next_epoch(db: Db) -> int:
    """To be called last in a transaction: others that call it wait for its commit."""
    epoch: int = (await db.exec(NEXT_EPOCH)).scalar_one()
    return epoch


class PostgresTrust:
    """What a worker asks about its trust. Every method raises Unavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def standing(self, worker: str) -> Standing:
        (row,) = await fetch(self._pool, STANDING, (worker,))
        return Standing(row["epoch"], row["registered"])

    async def register(self, worker: str) -> None:
        await fetch(self._pool, REGISTER, (worker,))

    async def forget(self, worker: str) -> None:
        await fetch(self._pool, FORGET, (worker,))

    async def workers(self) -> set[str]:
        """All that may trust what they remember, and some that went without a word."""
        return {row["name"] for row in await fetch(self._pool, WORKERS, ())}
