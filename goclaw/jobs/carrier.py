"""The workers of the job engine: one for each lane, in every process that carries jobs.

A job is a nudge: what is to be done and what was done stands in our own tables, so a job that is
begun twice, or taken from a worker that only seemed dead, does no harm.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import DeleteJobCondition, Job
from procrastinate.worker import Worker
from psycopg import AsyncConnection
from psycopg.abc import RV, PQGen

from goclaw.core.clock import clock_s
from goclaw.core.errors import GatewayError
from goclaw.resolvers.carrying import (
    BEAT_S,
    CARRY,
    STALL_S,
    NotYet,
    beat_workers,
    carry_run,
    job_lanes,
    requeue_stalled,
)
from goclaw.resolvers.services import Services

log = structlog.get_logger()

POLL_S: Final = 1.0
"""How soon a job is found that was put off, or whose notice was lost."""

LOOK_S: Final = 30.0
POOL_SIZE: Final = 2
TOLD_AGAIN_S: Final = 0.1
BROKEN_S: Final = 5
NEVER_S: Final = 86_400.0


class Again(BaseRetryStrategy):
    """No job is given up: what fails for good says so in its run, and is then done."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        wait_s = BROKEN_S
        if isinstance(exception, NotYet):
            wait_s = exception.wait_s
        elif isinstance(exception, asyncio.CancelledError):
            wait_s = 0
        elif not isinstance(exception, GatewayError):
            log.error("job.failed", job=job.task_name, attempts=job.attempts, exc_info=exception)
        return RetryDecision(retry_in={"seconds": wait_s})


class Patient(AsyncConnection[Any]):
    """Waits for its socket alone. The library looks ten times a second whether somebody pressed
    Ctrl-C, which the event loop is told anyway: the four connections that listen took more of an
    idle worker than all else.
    """

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = LOOK_S,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's
    ) -> RV:
        return await super().wait(gen, interval, timeout)


async def without_transactions(connection: AsyncConnection[Any]) -> None:
    """Whatever the library does is one statement, which needs no BEGIN and COMMIT around it."""
    await connection.set_autocommit(True)


class Carrier:
    """The jobs of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._app = open_app(services)

    async def run(self) -> None:
        """Until cancelled. Ends with an error when the database was away; to be begun again
        then. What it carries goes on in either case.
        """
        while True:
            await self._work()
            log.warning("jobs.restarted")

    async def _work(self) -> None:
        """Until one of the workers stops."""
        async with self._app.open_async():
            raise_if_cancelled()
            workers = [self._worker(lane, places) for lane, places in self._lanes()]
            working = [asyncio.create_task(work(worker)) for worker in workers]
            watching = asyncio.create_task(self._watch(workers))
            try:
                await asyncio.wait([*working, watching], return_when=asyncio.FIRST_COMPLETED)
            finally:
                watching.cancel()
                await stopped(workers, working)
            for task in (*working, watching):
                if task.done() and not task.cancelled() and (error := task.exception()):
                    raise error

    def _lanes(self) -> list[tuple[str, int]]:
        return job_lanes(self._services.settings)

    def _worker(self, lane: str, places: int) -> Worker:
        """It stops at once: whoever gets a job next finds that its run goes on here. Its own
        heartbeat would end with the first statement that fails, so `_watch` does it.
        """
        return Worker(
            self._app,
            queues=[lane],
            name=lane,
            concurrency=places,
            fetch_job_polling_interval=POLL_S,
            abort_job_polling_interval=NEVER_S,
            shutdown_graceful_timeout=0,
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=NEVER_S,
            stalled_worker_timeout=STALL_S,
        )

    async def _watch(self, workers: list[Worker]) -> None:
        """Says that the workers live, and looks for those that do not; but only after having
        spoken regularly itself: whoever was cut off cannot tell who else was.
        """
        spoken_since = clock_s()
        while True:
            await asyncio.sleep(BEAT_S)
            ids = [worker.worker_id for worker in workers if worker.worker_id is not None]
            began = clock_s()
            if not await beat_workers(self._services, ids):
                return
            if began - spoken_since >= STALL_S:
                stalled = await requeue_stalled(self._services)
                if stalled:
                    log.warning("jobs.requeued", jobs=stalled)


def raise_if_cancelled() -> None:
    """Where the library may have lost a cancellation: in Python 3.11 one that comes together with
    what is waited for (psycopg issue 1345).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def stopped(workers: Sequence[Worker], working: Sequence["asyncio.Task[None]"]) -> None:
    """Returns when they have. They are told so instead of cancelled, which may get lost, and told
    again, as one that had not begun yet has forgotten it. Whoever cancels this breaks off how they
    end.
    """
    left = set(working)
    try:
        while left:
            for worker in workers:
                worker.stop()  # type: ignore[no-untyped-call]
            _, left = await asyncio.wait(left, timeout=TOLD_AGAIN_S)
    except asyncio.CancelledError:
        for task in left:
            task.cancel()
        raise


async def work(worker: Worker) -> None:
    await worker.run()  # type: ignore[no-untyped-call]


def open_app(services: Services) -> App:
    settings = services.settings
    pooled: dict[str, Any] = {} if settings.statement_cache else {"prepare_threshold": None}
    connector = PsycopgConnector(
        conninfo=services.host.dsn,
        connection_class=Patient,
        configure=without_transactions,
        min_size=1,
        max_size=POOL_SIZE,
        kwargs=pooled,
    )
    app = App(connector=connector)

    @app.task(name=CARRY, retry=Again())
    async def carry(run_id: str) -> None:
        await carry_run(services, UUID(run_id))

    return app
