"""Telling followers of a run that its model is asked once more."""

import asyncio
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from goclaw.core.errors import Unavailable
from goclaw.core.ids import uuid7
from goclaw.events.hub import EventHub
from goclaw.providers.attempts import Retry
from goclaw.runtime.live import LiveRun
from goclaw.store.database import Database
from goclaw.store.steps import note_retry

log = structlog.get_logger()

TELL_FOR_S: Final = 2.0
"""A database that does not answer holds no call up for longer."""


class RetryNews:
    """Commits each event before the next call is made, so that it stands where it belongs among
    the others of the run. It is lost while the database is away; the trace has it all the same.
    """

    def __init__(self, database: Database, hub: EventHub, worker: str) -> None:
        self._database = database
        self._hub = hub
        self._worker = worker

    def of(self, run: LiveRun) -> None:
        """Follows the model calls of the run from now on. The request must not lead back to the
        run: each run would stay in memory, with all it was asked, until it is collected.
        """
        run.turn.request.on_retry = partial(self._tell, run.id)

    async def _tell(self, run_id: UUID, retry: Retry) -> None:
        event = {
            "provider": retry.provider,
            "model": retry.model,
            "attempt": retry.attempt,
            "max_attempts": retry.max_attempts,
            "error_code": retry.code,
            "wait_ms": round(retry.wait_s * 1000),
        }
        try:
            async with asyncio.timeout(TELL_FOR_S):
                await note_retry(self._database, run_id, self._worker, uuid7(), event)
        except (Unavailable, TimeoutError):
            log.warning("run.retry_untold", run_id=str(run_id))
        else:
            self._hub.wake()
