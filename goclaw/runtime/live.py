"""A run while it lasts: what it has said so far, and who is listening."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic_ns
from typing import Final, NamedTuple
from uuid import UUID

from goclaw.core.errors import Conflict, GatewayError
from goclaw.models.budgets import Budget
from goclaw.models.compaction import Compaction
from goclaw.models.providers import ProviderType
from goclaw.models.runs import RunStatus
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Delta, ModelMessage, ModelRequest, Reply
from goclaw.providers.replies import ReplyBuilder
from goclaw.runtime.context_files import PromptFiles
from goclaw.runtime.history import without_contents
from goclaw.runtime.spent import Spent
from goclaw.store.targets import Target
from goclaw.tools.toolbox import Toolbox

FLUSH_S: Final = 0.05
"""How long text is gathered for listeners before it is passed on."""

BETWEEN_STEPS: Final = "\n\n"
"""What parts the texts of two steps where they are read as one answer."""


class Piece(NamedTuple):
    """What a run says next. `offset` counts the characters of the answer before it. Of a piece of
    thinking, `thought` counts those of the same model call's thinking before it, else it is None;
    `call` tells that call from others.
    """

    offset: int
    text: str
    thought: int | None = None
    call: int = 0

    @property
    def start(self) -> int:
        """Where it stands among its like."""
        return self.offset if self.thought is None else self.thought

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def part(self, start: int, end: int | None = None) -> "Piece":
        """From `start` up to `end`, which count as its own."""
        text = self.text[start - self.start : None if end is None else end - self.start]
        if self.thought is None:
            return Piece(start, text)
        return Piece(self.offset, text, start, self.call)


def nothing_to_warn_of(_: str) -> str | None:
    return None


class Errand(NamedTuple):
    """The task of another agent's that a run carries out. `path` are the agents from the first
    that asked to this one; `root_run_id` is the run that gave the first task of them.
    """

    id: UUID
    path: tuple[UUID, ...]
    root_run_id: UUID

    @property
    def depth(self) -> int:
        return len(self.path) - 1


@dataclass(slots=True)
class Turn:
    """What a run is asked to do.

    `new` are the messages to store; `before` hashes those that are stored already, in the
    session named or, with `continues`, in whichever ends with that hash. `request` holds them
    all, after the agent's prompt. Without a `toolbox` the model is asked once. With `compaction`
    it is the server that tells the model what the session holds, in the end as a summary. What
    `warning` says of a word of the user, the model is told after it. A run that others wait for
    has an `errand`, and a `run_id` that they know; its trace hangs below `parent_trace_id`.
    `files` are the context files that its prompt holds.
    """

    agent: Target
    provider_type: ProviderType
    provider_name: str
    client: ModelClient
    request: ModelRequest
    new: tuple[ModelMessage, ...]
    before: bytes
    session_id: UUID | None
    continues: bool
    session_key: str
    user_id: str
    key_id: UUID | None
    channel: str
    label: str | None = None
    toolbox: Toolbox | None = None
    budgets: tuple[Budget, ...] = ()
    compaction: Compaction | None = None
    warning: Callable[[str], str | None] = nothing_to_warn_of
    errand: Errand | None = None
    run_id: UUID | None = None
    parent_trace_id: UUID | None = None
    files: PromptFiles | None = None

    def stored(self, message: ModelMessage) -> ModelMessage:
        """What is written down of a message."""
        return message if self.agent.store_contents else without_contents(message)


@dataclass(eq=False)
class LiveRun:
    """`pieces` is the answer so far; a piece once added never changes. `thoughts` are pieces of
    what the model thinks aloud in the call that was opened last, each with how many pieces of the
    answer came before it; `calls` counts those opened.

    `request`, `answer`, `call_ns` and `first_token_ns` are of the model call that is open, if
    one is: `calling`. What those before it used is in `spent`, which a run without tools lacks;
    `whole` is its answer as one, once it is complete.

    A `movable` run may be carried on by another worker; once it is `released`, this one leaves it
    alone. One that was `taken_up` here had `done` something before, which `spent` counts.
    `gave_tasks` to other runs, whose costs are its own.
    """

    id: UUID
    trace_id: UUID
    turn: Turn
    session_id: UUID
    session_key: str
    started_at: datetime
    first_seq: int
    last_seq: int
    started_ns: int = field(default_factory=monotonic_ns)
    request: ModelRequest = field(init=False)
    call_ns: int = field(init=False)
    calling: bool = True
    first_token_ns: int | None = None
    status: RunStatus = RunStatus.RUNNING
    answer: ReplyBuilder = field(default_factory=ReplyBuilder)
    reply: Reply | None = None
    spent: Spent | None = None
    whole: Reply | None = None
    agent_span_id: UUID | None = None
    error: GatewayError | None = None
    pieces: list[str] = field(default_factory=list)
    thoughts: list[tuple[int, str]] = field(default_factory=list)
    calls: int = 0
    cancel_requested: bool = False
    movable: bool = False
    released: bool = False
    taken_up: bool = False
    done: tuple[ModelMessage, ...] = ()
    gave_tasks: bool = False
    task: "asyncio.Task[object] | None" = None
    _waiting: set["asyncio.Future[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.request, self.call_ns = self.turn.request, self.started_ns
        for message in self.done:
            if message.role == "assistant" and message.text:
                self.pieces += [BETWEEN_STEPS, message.text] if self.pieces else [message.text]

    @property
    def stores_contents(self) -> bool:
        return self.turn.agent.store_contents

    @property
    def root_id(self) -> UUID | None:
        """The run that pays for this one and for all tasks that came of it; None for one that
        stands alone.
        """
        if self.turn.errand is not None:
            return self.turn.errand.root_run_id
        return self.id if self.gave_tasks else None

    @property
    def said(self) -> Reply:
        """What the open model call has said so far."""
        return self.reply or self.answer.reply()

    @property
    def said_chars(self) -> int:
        """How long the answer is so far."""
        return sum(map(len, self.pieces))

    def open_call(self, request: ModelRequest) -> None:
        """Another model call begins."""
        self.request, self.call_ns, self.first_token_ns = request, monotonic_ns(), None
        self.answer, self.reply, self.calling = ReplyBuilder(), None, True
        self.thoughts, self.calls = [], self.calls + 1

    def close_call(self) -> None:
        """What it said and used is written down."""
        self.answer, self.reply, self.calling = ReplyBuilder(), None, False
        self.thoughts = []  # they are stored with what it said

    def take(self, deltas: list[Delta], told: list[Delta] | None = None) -> None:
        """Adds what the model said; costs nothing more while nobody listens. `told` is what
        listeners hear of it, where that is something else.
        """
        if self.first_token_ns is None:
            self.first_token_ns = monotonic_ns()
        for delta in deltas:
            self.answer.add(delta)
            if delta.thinking:
                self.thoughts.append((len(self.pieces), delta.thinking))
            if told is None and delta.text:
                self.pieces.append(delta.text)
        if told is not None:
            self.pieces.extend(delta.text for delta in told if delta.text)
        if self._waiting:
            self.wake()

    def end(self, status: RunStatus) -> None:
        self.status = status
        self.wake()

    def wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def cancel(self) -> None:
        """Ends the model call; the run then ends as cancelled."""
        self.cancel_requested = True
        if self.task is not None:
            self.task.cancel()

    def release(self) -> None:
        """Ends the model call; the run itself is left to another worker."""
        self.released = True
        self.cancel()

    def was_cancelled(self) -> bool:
        """Whether the cancellation just caught was asked for by `cancel`; then it is taken
        back from the task, which goes on to tell its client.
        """
        task = asyncio.current_task()
        if not self.cancel_requested or task is None or task is not self.task:
            return False
        task.uncancel()
        return True

    async def ended(self) -> None:
        """Returns when the end of the run is committed, or it is carried here no more."""
        while self.status is RunStatus.RUNNING:
            await self._more()

    async def spoken(self) -> AsyncGenerator[Piece, None]:
        """All that was said so far, what is thought in the open call, then the rest as it comes."""
        index = offset = 0
        thoughts = Thoughts(self)
        while True:
            ended = self.status is not RunStatus.RUNNING
            due = thoughts.next_place
            until = len(self.pieces) if due is None else due
            if index < until:
                text = "".join(self.pieces[index:until])
                index = until
                yield Piece(offset, text)
                offset += len(text)
            elif due is not None:
                yield thoughts.take(offset)
            elif ended:
                return
            else:
                await self._more()

    async def _more(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)


class Thoughts:
    """How far a follower has got in the thinking of a run."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._begin()

    def _begin(self) -> None:
        self._pieces, self._call = self._run.thoughts, self._run.calls
        self._taken = self._chars = 0

    @property
    def next_place(self) -> int | None:
        """How many pieces of the answer come before the next thought, when there is one."""
        if self._taken == len(self._pieces) and self._pieces is not self._run.thoughts:
            self._begin()
        return self._pieces[self._taken][0] if self._taken < len(self._pieces) else None

    def take(self, offset: int) -> Piece:
        """All that is there of that place, which comes after `offset` characters."""
        due = self._pieces[self._taken][0]
        here = [text for place, text in self._pieces[self._taken :] if place == due]
        self._taken += len(here)
        piece = Piece(offset, "".join(here), self._chars, self._call)
        self._chars = piece.end
        return piece


def cancelled() -> GatewayError:
    return Conflict("run_cancelled")
