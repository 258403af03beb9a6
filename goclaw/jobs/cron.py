"""The clock of cron jobs, in every process that carries jobs: looks once a second for what is
due, has ended, or is to be delivered. Whose each is, the database says.
"""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from goclaw.core.errors import Unavailable
from goclaw.models.cron import CronJob
from goclaw.resolvers.cron_delivery import Delivery, deliver, take_delivery
from goclaw.resolvers.cron_due import begin_due, due_now, settle_ended, what_is_to_do
from goclaw.resolvers.services import Services

log = structlog.get_logger()

TICK_S: Final = 1.0
DELIVERIES: Final = 8
"""How many a process makes at once; one that is slow holds up nothing else."""


class CronClock:
    """Of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._delivering: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled. Raises Unavailable when the database is away; to be begun again."""
        try:
            while True:
                await self._tick()
                await asyncio.sleep(TICK_S)
        finally:
            for task in list(self._delivering):
                task.cancel()

    async def _tick(self) -> None:
        todo = await what_is_to_do(self._services)
        if todo.ended:
            while await settle_ended(self._services):
                """Until none is left."""
        if todo.due:
            await self._begin_all()
        if todo.pending:
            await self._deliver_all()

    async def _begin_all(self) -> None:
        """Each is tried once, so that one that cannot begin holds up no other."""
        tried: list[UUID] = []
        while jobs := await due_now(self._services, tried):
            for job in jobs:
                tried.append(job.id)
                await self._begin(job)

    async def _begin(self, job: CronJob) -> None:
        try:
            await begin_due(self._services, job)
        except Unavailable:
            raise
        except Exception:  # one user's job must not keep those of all others from beginning
            log.exception("cron.not_begun", job_id=str(job.id))

    async def _deliver_all(self) -> None:
        while len(self._delivering) < DELIVERIES:
            delivery = await take_delivery(self._services)
            if delivery is None:
                return
            task = asyncio.create_task(self._deliver(delivery))
            self._delivering.add(task)
            task.add_done_callback(self._delivering.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        """What cannot be noted is tried again when its time is over."""
        try:
            await deliver(self._services, delivery)
        except Unavailable:
            log.warning("cron.delivery_not_noted", job_id=str(delivery.job.id))
        except Exception:  # a task that nobody awaits; the delivery is taken again later
            log.exception("cron.not_delivered", job_id=str(delivery.job.id))
