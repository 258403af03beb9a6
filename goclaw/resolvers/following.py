"""Following a run: what it did and said so far, then what it does and says, whoever carries it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.streams import merged
from goclaw.events.row import EventRow
from goclaw.models.run_events import RunEnded, RunEvent, RunStarted, RunText, RunThinking
from goclaw.models.runs import RunStatus, RunView
from goclaw.models.shapes import now
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.operation import stream
from goclaw.resolvers.run_steps import Happened, RunSteps, answer_among, text_of
from goclaw.runtime.heard import Heard, HeardThinking
from goclaw.runtime.history import lacks_contents
from goclaw.runtime.live import Piece
from goclaw.runtime.recent import REMEMBER_S
from goclaw.store.runs import inbox_of
from goclaw.store.sessions import question_of, steps_of
from goclaw.store.steps import open_retry

TURNS: Final = frozenset({"run.started", "run.resumed", "run.ended"})
GOING_ON: Final = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
RECALL_S: Final = 2
"""How long another worker may take to tell an answer that it alone remembers."""


@stream(Scope.READ)
async def watch_run(ctx: Context, id: UUID, after: str | None = None) -> AsyncIterator[RunEvent]:
    """How the run began, what it did and said so far, what it then does and says, how it ended.
    With `after` the beginning is left out; all else comes whole all the same. Raises NotFound.
    """
    async with aclosing(followed(ctx, id, after)) as events:
        async for event in events:
            yield event


async def followed(ctx: Context, id: UUID, after: str | None) -> AsyncGenerator[RunEvent, None]:
    found(await ctx.runs.load(id), "run", id)
    async with ctx.services.hub.subscribe([f"run:{id}"], None, lambda _: True) as told:
        run = await fresh_run(ctx, id)
        if after is None:
            yield RunStarted(told.last, run)
        steps = RunSteps(ctx)
        for happened in await _so_far(ctx, run, steps, told.last):
            yield happened
        heard, thought = Heard(), HeardThinking()
        if run.status in GOING_ON:
            async with aclosing(_told_until_ended(ctx, id, told)) as items:
                async for item in items:
                    if isinstance(item, EventRow):
                        for happened in steps.heard(item):
                            yield happened
                    elif (news := _news(heard, thought, item)) is not None:
                        yield news
        run = await fresh_run(ctx, id)
        written = await steps_of(ctx.reads, id, run.started_at)
        for happened in steps.read(written, told.last):
            yield happened
        message = answer_among(written)
        text = "" if message is None else text_of(written) or await _recalled(ctx, run)
        if text and text != heard.text and (rest := heard.take(0, text)) is not None:
            yield RunText(*rest)
        yield RunEnded(told.last, run, message)


async def _so_far(ctx: Context, run: RunView, steps: RunSteps, cursor: str) -> list[Happened]:
    # The inbox is read first: what is taken of it in between is told by either of them.
    inbox = await inbox_of(ctx.reads, run.id)
    written = await steps_of(ctx.reads, run.id, run.started_at)
    happened = [*steps.read(written, cursor), *steps.waiting(inbox, cursor)]
    if run.status in GOING_ON and (retry := await open_retry(ctx.reads, run.id)) is not None:
        happened += steps.retrying(retry.id, retry.payload, cursor)
    return happened


def _news(heard: Heard, thought: HeardThinking, piece: Piece) -> RunText | RunThinking | None:
    if piece.thought is None:
        said = heard.take(piece.offset, piece.text)
        return None if said is None else RunText(*said)
    news = thought.take(piece.call, piece.thought, piece.text)
    return None if news is None else RunThinking(*news, piece.offset)


async def _recalled(ctx: Context, run: RunView) -> str:
    """An answer that was not stored, from the memory of the worker that gave it not long ago."""
    if run.ended_at is None or now() - run.ended_at > timedelta(seconds=REMEMBER_S):
        return ""
    answer = ctx.services.runner.recent.get(run.id)
    if answer is not None:
        return answer.text
    text = ""
    if await is_withheld(ctx, run):
        with suppress(TimeoutError):
            async with asyncio.timeout(RECALL_S), aclosing(_spoken(ctx, run.id)) as source:
                async for piece in source:
                    text += piece.text if piece.thought is None else ""
    return text


Item = EventRow | Piece


async def _told_until_ended(
    ctx: Context, id: UUID, told: AsyncIterator[EventRow]
) -> AsyncGenerator[Item, None]:
    """What is told of a run and what it says, the latter anew from each worker that carries it."""
    goes_on = True
    while goes_on:
        goes_on = False
        async with aclosing(merged(_told_of_turn(told), _spoken(ctx, id))) as items:
            async for item in items:
                yield item
                if isinstance(item, EventRow) and item.kind in TURNS:
                    goes_on = item.kind != "run.ended"
                    break


async def _told_of_turn(told: AsyncIterator[EventRow]) -> AsyncIterator[Item]:
    """Up to the next event after which somebody else speaks, or nobody any more."""
    async for event in told:
        yield event
        if event.kind in TURNS:
            return


async def _spoken(ctx: Context, id: UUID) -> AsyncGenerator[Piece, None]:
    """From the run itself where this worker carries it, else from the worker that does."""
    live = ctx.services.runner.live.get(id)
    pieces = live.spoken() if live is not None else ctx.services.remote.spoken(id)
    async with aclosing(pieces) as source:
        async for piece in source:
            yield piece


async def fresh_run(ctx: Context, id: UUID) -> RunView:
    ctx.runs.clear(id)
    return found(await ctx.runs.load(id), "run", id)


async def is_withheld(ctx: Context, run: RunView) -> bool:
    question = await question_of(ctx.reads, run.id)
    return question is not None and lacks_contents(question)
