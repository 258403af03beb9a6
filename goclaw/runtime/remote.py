"""Runs of other workers: hearing what they say, asking them to stop."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final
from uuid import UUID

from goclaw.events.channels import Gap
from goclaw.events.hub import EventHub
from goclaw.runtime.live import FLUSH_S, LiveRun, Piece
from goclaw.runtime.recent import Answer
from goclaw.runtime.runner import Runner

CONTROL: Final = "runs"
CANCEL: Final = "cancel"
CANCEL_ALL: Final = "cancel_all"
FOLLOW: Final = "follow"
SHORT_CHARS: Final = 1000
"""Fits into a NOTIFY, however it is written."""

INTEREST_S: Final = 10.0
"""How often a follower says that it is still there; twice that without a word ends it."""


def text_channel(run_id: UUID) -> str:
    return f"text:{run_id}"


def _parts(piece: Piece, storable: bool) -> Iterator[Piece]:
    """What must not be stored goes in parts that the fan-out need not put aside in a table."""
    size = len(piece.text) if storable else SHORT_CHARS
    for start in range(piece.start, piece.end, size):
        yield piece.part(start, start + size)


Source = LiveRun | Answer


class Told:
    """How far another worker's run has been told."""

    def __init__(self) -> None:
        self._said = self._thought = self._call = 0

    def take(self, piece: Piece) -> Piece | None:
        """What of it is news; None when it was told before, or comes after a hole."""
        if piece.thought is None:
            known, self._said = self._said, self._after(piece, self._said)
        else:
            if piece.call > self._call:
                self._call, self._thought = piece.call, 0
            if piece.call < self._call:
                return None
            known, self._thought = self._thought, self._after(piece, self._thought)
        return piece.part(known) if piece.start <= known < piece.end else None

    def _after(self, piece: Piece, known: int) -> int:
        return piece.end if piece.start <= known < piece.end else known


class RemoteRuns:
    """One for each worker: does for its own runs what other workers ask, and asks them."""

    def __init__(self, runner: Runner, hub: EventHub) -> None:
        self._runner = runner
        self._hub = hub
        self._forwards: dict[UUID, tuple[asyncio.Task[None], float]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        async with self._hub.listen(CONTROL) as messages:
            async for message in messages:
                if isinstance(message, dict):
                    self._obey(message)

    def _obey(self, message: dict[str, Any]) -> None:
        if message["do"] == CANCEL_ALL:
            self._runner.cancel_all()
            return
        id = UUID(message["run"])
        run = self._runner.live.get(id)
        if message["do"] == FOLLOW and (source := run or self._runner.recent.get(id)) is not None:
            self._forward(source)
        elif message["do"] == CANCEL and run is not None:
            run.cancel()

    def _forward(self, run: Source) -> None:
        """Each new follower gets the text from its beginning; those who had it skip it."""
        until = asyncio.get_running_loop().time() + 2 * INTEREST_S
        running = self._forwards.get(run.id)
        if running is not None:
            running[0].cancel()
        task = asyncio.create_task(self._send_text(run, until))
        self._forwards[run.id] = (task, until)
        task.add_done_callback(lambda done: self._forget(run.id, done))

    def _forget(self, run_id: UUID, task: "asyncio.Task[None]") -> None:
        kept = self._forwards.get(run_id)
        if kept is not None and kept[0] is task:
            del self._forwards[run_id]

    async def _send_text(self, run: Source, until: float) -> None:
        async for piece in run.spoken():
            for part in _parts(piece, run.stores_contents):
                self._hub.post(text_channel(run.id), part._asdict())
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(FLUSH_S)
        self._hub.post(text_channel(run.id), {"ended": True})

    def cancel(self, run_id: UUID) -> None:
        """Wherever the run is carried."""
        self._hub.post(CONTROL, {"do": CANCEL, "run": str(run_id)})

    def cancel_all(self) -> None:
        """Of every worker."""
        self._runner.cancel_all()
        self._hub.post(CONTROL, {"do": CANCEL_ALL})

    async def spoken(self, run_id: UUID) -> AsyncGenerator[Piece, None]:
        """What another worker's run says, from its beginning, until the caller stops asking.
        After a gap it is told anew. Ends with the run.
        """
        heard = Told()
        async with self._hub.listen(text_channel(run_id)) as messages:
            asking = asyncio.create_task(self._ask(run_id))
            try:
                async for message in messages:
                    if message is Gap.GAP:
                        self._follow(run_id)
                        continue
                    if "ended" in message:
                        return
                    if (news := heard.take(Piece(**message))) is not None:
                        yield news
            finally:
                asking.cancel()

    async def _ask(self, run_id: UUID) -> None:
        while True:
            self._follow(run_id)
            await asyncio.sleep(INTEREST_S)

    def _follow(self, run_id: UUID) -> None:
        self._hub.post(CONTROL, {"do": FOLLOW, "run": str(run_id)})
