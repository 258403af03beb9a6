"""Saying that runs and workers live, and finding those that do not any more."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from goclaw.store.database import Database, fetch
from goclaw.store.runs import LEASE_S, STALL_S

BEAT: Final = f"""
with alive as (
    update runs set heartbeat_at = now()
    where id = any($1::uuid[]) and worker = $2 and status = 'running'
    returning session_id, id, cancel_asked_at
), kept as (
    update sessions set lease_until = now() + interval '{LEASE_S} seconds'
    from alive where sessions.id = alive.session_id and sessions.lease_run_id = alive.id
)
select array(select id from alive) as ours,
    array(select id from alive where cancel_asked_at is not null) as cancelled,
    exists (select from run_stops where resumed_at is null) as stopped
"""


class Heartbeat(NamedTuple):
    """`ours` are the runs that are still this worker's; `cancelled` those among them that
    somebody cancelled, and `stopped` whether all runs are to be stopped, for a worker that has
    not heard of it.
    """

    ours: set[UUID]
    cancelled: set[UUID]
    stopped: bool


async def beat(database: Database, ids: Sequence[UUID], worker: str) -> Heartbeat:
    """Says that these runs live and keeps their sessions reserved."""
    row = (await fetch(database.pool, BEAT, (ids, worker)))[0]
    return Heartbeat(set(row.ours), set(row.cancelled), row.stopped)


REQUEUE: Final = f"""
select procrastinate_retry_job_v2(id, now(), null, null, null) from (
    select jobs.id from procrastinate_jobs as jobs
    left join procrastinate_workers as workers on workers.id = jobs.worker_id
    where jobs.status = 'doing' and (workers.id is null
        or workers.last_heartbeat < now() - interval '{STALL_S} seconds')
    for update of jobs skip locked
) as stalled
"""


async def requeue_stalled_jobs(database: Database) -> int:
    """Jobs whose worker is silent are anybody's again; tells how many."""
    return len(await fetch(database.pool, REQUEUE, ()))


WORKERS: Final = """
update procrastinate_workers set last_heartbeat = now() where id = any($1::bigint[]) returning id
"""


async def beat_workers(database: Database, ids: Sequence[int]) -> bool:
    """Says that these workers of the job engine live; False when one was taken for dead."""
    return len(await fetch(database.pool, WORKERS, (ids,))) == len(ids)
