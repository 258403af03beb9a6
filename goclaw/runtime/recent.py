"""Answers that are written down nowhere, kept for those who ask for them a moment too late."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from goclaw.runtime.live import LiveRun, Piece

REMEMBER_S: Final = 60.0
MOST_RUNS: Final = 1000
MOST_CHARS: Final = 32 << 20
"""Of all of them. Beyond either the oldest are forgotten before their time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is left of a run: what it was asked is not kept."""

    id: UUID
    text: str
    stores_contents: ClassVar[bool] = False

    async def spoken(self) -> AsyncGenerator[Piece, None]:
        """As of a run that goes on."""
        yield Piece(0, self.text)


class RecentAnswers:
    """Of runs of this worker that ended within the last minute and whose contents are not
    stored.
    """

    def __init__(self) -> None:
        self._answers: dict[UUID, Answer] = {}
        self._chars = 0

    def keep(self, run: LiveRun) -> None:
        if run.stores_contents:
            return
        answer = Answer(run.id, "".join(run.pieces))
        self._answers[run.id] = answer
        self._chars += len(answer.text)
        while len(self._answers) > MOST_RUNS or self._chars > MOST_CHARS:
            self._forget(next(iter(self._answers)))
        asyncio.get_running_loop().call_later(REMEMBER_S, self._forget, run.id)

    def get(self, run_id: UUID) -> Answer | None:
        return self._answers.get(run_id)

    def _forget(self, run_id: UUID) -> None:
        answer = self._answers.pop(run_id, None)
        if answer is not None:
            self._chars -= len(answer.text)
