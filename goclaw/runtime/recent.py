"""Answers that are written down nowhere, kept for those who ask for them a moment too late."""

import asyncio
from typing import Final
from uuid import UUID

from goclaw.runtime.live import LiveRun

REMEMBER_S: Final = 60.0
MOST_RUNS: Final = 1000
"""Beyond it the oldest is forgotten before its time."""


class RecentRuns:
    """Runs of this worker that ended within the last minute and whose contents are not stored."""

    def __init__(self) -> None:
        self._runs: dict[UUID, LiveRun] = {}

    def keep(self, run: LiveRun) -> None:
        if run.turn.agent.store_contents:
            return
        if len(self._runs) >= MOST_RUNS:
            del self._runs[next(iter(self._runs))]
        self._runs[run.id] = run
        asyncio.get_running_loop().call_later(REMEMBER_S, self._runs.pop, run.id, None)

    def get(self, run_id: UUID) -> LiveRun | None:
        return self._runs.get(run_id)
