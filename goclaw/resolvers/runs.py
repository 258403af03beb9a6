import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Forbidden, GatewayError, UpstreamFailed
from goclaw.core.ids import uuid7
from goclaw.core.paging import Page, PageRequest
from goclaw.core.streams import merged
from goclaw.events.row import EventRow
from goclaw.models.chat import SendMessage, UsageView, Wake, WakeResult
from goclaw.models.idempotency import IdempotentRequest
from goclaw.models.run_events import RunEnded, RunEvent, RunStarted, RunText
from goclaw.models.runs import RunStatus, RunView
from goclaw.models.sessions import Session
from goclaw.models.shapes import now
from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.idempotency import Once
from goclaw.resolvers.operation import operation, stream
from goclaw.resolvers.refs import Ref
from goclaw.resolvers.turns import Spoken, chat_target, new_turn
from goclaw.runtime.heard import Heard
from goclaw.runtime.history import from_row, lacks_contents
from goclaw.runtime.job_runs import Lane
from goclaw.runtime.live import LiveRun, Turn, cancelled
from goclaw.runtime.recent import REMEMBER_S
from goclaw.store.runs import count_runs as count_matching
from goclaw.store.runs import runs_page
from goclaw.store.sessions import answer_of, messages_until, question_of, session_by_key

HISTORY_LIMIT = 200
TURNS = frozenset({"run.started", "run.resumed", "run.ended"})
GOING_ON = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
RECALL_S = 2
"""How long another worker may take to tell an answer that it alone remembers."""


@operation(Scope.READ)
async def get_run(ctx: Context, id: UUID) -> RunView:
    """Raises NotFound."""
    return found(await ctx.runs.load(id), "run", id)


@operation(Scope.READ)
async def active_run(ctx: Context, id: UUID) -> RunView | None:
    """The run that holds a session's lease, unless it has ended."""
    run = await ctx.runs.load(id)
    return run if run is not None and run.status == RunStatus.RUNNING else None


@operation(Scope.READ)
async def list_runs(
    ctx: Context,
    page: PageRequest,
    agent_id: UUID | None = None,
    session_id: UUID | None = None,
    status: RunStatus | None = None,
) -> Page[RunView]:
    return await runs_page(ctx.reads, page, agent_id=agent_id, session_id=session_id, status=status)


@operation(Scope.READ)
async def count_runs(
    ctx: Context,
    agent_id: UUID | None = None,
    session_id: UUID | None = None,
    status: RunStatus | None = None,
) -> int:
    return await count_matching(ctx.reads, agent_id=agent_id, session_id=session_id, status=status)


@operation(Scope.WRITE)
async def send_message(ctx: Context, data: SendMessage) -> RunView:
    """Gives the run at once; it goes on whoever listens. Raises NotFound for an unknown session
    or agent, Conflict while the session is answering.
    """
    once = Once(ctx, "send_message", data.model_dump_json().encode())
    id = await once.carry_out(lambda: _send(ctx, once, data), partial(_begun, ctx))
    return found(await ctx.runs.load(id), "run", id)


async def _begun(ctx: Context, kept: IdempotentRequest) -> UUID:
    """Raises NotFound for who may not see it: the request came with another key of the user."""
    return found(await ctx.runs.load(kept.result_id), "run", kept.result_id).id


async def _send(ctx: Context, once: Once, data: SendMessage) -> UUID:
    session = None
    if data.session_id is not None:
        session = found(await ctx.sessions.load(data.session_id), "session", data.session_id)
    agent = session.agent_id if session is not None else data.agent_id
    turn = await spoken_turn(ctx, agent or "", session, data.text, channel="web")
    return await _begin(ctx, once, turn)


@operation(Scope.WRITE)
async def wake_agent(ctx: Context, id: Ref, data: Wake) -> WakeResult:
    """Waits for the answer, and before it until the session is free; the run goes on when the
    caller hangs up. Raises NotFound, Conflict and RateLimited when too much waits already,
    Conflict when the answer to a repeated request was not stored, UpstreamFailed and its like
    when the model fails.
    """
    run_id = uuid7()
    with ctx.services.runner.awaiting(run_id) as begun:
        woken = await _wake(ctx, id, data, run_id)
        said = await _until_ended_well(ctx, woken, begun)
    return await _wake_result(ctx, woken, said)


@operation(Scope.WRITE)
async def start_wake(ctx: Context, id: Ref, data: Wake) -> RunView:
    """Gives the run at once. Raises like `wake_agent`, but for the model's failures, after which
    it is asked again as often as the settings say.
    """
    run_id = await _wake(ctx, id, data, uuid7(), ctx.services.settings.job_retries)
    return found(await ctx.runs.load(run_id), "run", run_id)


async def _wake(ctx: Context, id: Ref, data: Wake, run_id: UUID, retries: int = 0) -> UUID:
    """The new run's id, or that of the run which a repeated request led to."""
    once = Once(ctx, "wake_agent", f"{id}\n{data.model_dump_json()}".encode())

    async def queue() -> UUID:
        turn = await _wake_turn(ctx, id, data)
        if not turn.agent.store_contents:
            # What is not to be stored cannot wait in a table: it is carried here and now.
            return await _begin(ctx, once, turn)
        await ctx.services.job_runs.queue(run_id, turn, Lane.MAIN, retries, once.for_run())
        ctx.services.hub.wake()
        return run_id

    return await once.carry_out(queue, partial(_begun, ctx))


async def _wake_turn(ctx: Context, id: Ref, data: Wake) -> Turn:
    session = None
    if data.session_key is not None:
        row = await chat_target(ctx, id, or_default=False)
        session = await session_by_key(ctx.reads, row.id, ctx.user_id, data.session_key)
    return await spoken_turn(
        ctx, id, session, data.message, channel="wake", session_key=data.session_key
    )


async def _until_ended_well(ctx: Context, id: UUID, begun: "asyncio.Future[LiveRun]") -> str:
    """What was heard of the answer. Raises what the run failed with; of a run of before or
    elsewhere, that it failed. `begun` tells when this worker begins to carry it.
    """
    live = ctx.services.runner.live.get(id) or await _carried_here(ctx, id, begun)
    if live is not None:
        await live.ended()
        if live.error is not None:
            raise live.error
        if live.status is not RunStatus.QUEUED:
            return "".join(live.pieces)
    return await _heard_out(ctx, id)


async def _carried_here(ctx: Context, id: UUID, begun: "asyncio.Future[LiveRun]") -> LiveRun | None:
    """None when the run ended without this worker."""
    elsewhere = asyncio.create_task(_until_over(ctx, id))
    try:
        first: set[asyncio.Future[Any]] = {begun, elsewhere}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if begun.done():
            return begun.result()
        await elsewhere
        return None
    finally:
        elsewhere.cancel()


async def _until_over(ctx: Context, id: UUID) -> None:
    async with ctx.services.hub.subscribe([f"run:{id}"], None, lambda _: True) as told:
        run = await _fresh_run(ctx, id)
        if run.status not in GOING_ON:
            return
        async for event in told:
            if event.kind == "run.ended":
                return


async def _heard_out(ctx: Context, id: UUID) -> str:
    heard: list[str] = []
    async with aclosing(_followed(ctx, id, None)) as events:
        async for event in events:
            if isinstance(event, RunEnded) and event.run.status != RunStatus.COMPLETED:
                raise _failure(event.run)
            if isinstance(event, RunText):
                heard = [*heard, event.text] if event.offset else [event.text]
    return "".join(heard)


def _failure(run: RunView) -> GatewayError:
    if run.status == RunStatus.CANCELLED:
        return cancelled()
    return UpstreamFailed("run_failed", reason=run.error_message)


async def _wake_result(ctx: Context, id: UUID, said: str) -> WakeResult:
    run = await _fresh_run(ctx, id)
    answer = await answer_of(ctx.reads, id)
    content = said if answer is None else answer.content or said
    if run.output_tokens and not content and await _is_withheld(ctx, run):
        raise Conflict("answer_not_stored")
    return WakeResult(
        content=content,
        run_id=id,
        usage=UsageView(
            prompt_tokens=run.input_tokens,
            completion_tokens=run.output_tokens,
            total_tokens=run.input_tokens + run.output_tokens,
        ),
    )


async def _is_withheld(ctx: Context, run: RunView) -> bool:
    question = await question_of(ctx.reads, run.id)
    return question is not None and lacks_contents(question)


async def spoken_turn(
    ctx: Context,
    agent: Ref,
    session: Session | None,
    text: str,
    *,
    channel: str,
    session_key: str | None = None,
) -> Turn:
    """What the user says after what the session holds already. Raises Conflict where that was
    not stored, or what comes now would not be.
    """
    if session is not None and session.user_id != ctx.user_id:
        raise Forbidden("session_not_yours")
    row = await chat_target(ctx, agent, or_default=not agent)
    kept: list[ModelMessage] = []
    if session is not None:
        rows = await messages_until(ctx.reads, session.id, session.message_count, HISTORY_LIMIT)
        if not row.store_contents or any(map(lacks_contents, rows)):
            raise Conflict("session_not_stored", key=row.key)
        kept = [from_row(message) for message in rows]
    before = b"" if session is None else bytes(session.prefix_hash or b"")
    spoken = Spoken(kept, [ModelMessage("user", text)], before)
    return new_turn(
        ctx,
        row,
        spoken,
        channel=channel,
        session_id=None if session is None else session.id,
        session_key=session_key,
        options=ModelRequest(model="", messages=[]),
    )


async def _begin(ctx: Context, once: Once, turn: Turn) -> UUID:
    """Commits the run and carries it in the background."""
    runner = ctx.services.runner
    run = await runner.begin(turn, once.for_run())
    runner.detach(run)
    return run.id


@operation(Scope.WRITE)
async def cancel_run(ctx: Context, id: UUID) -> RunView:
    """Asks the worker that carries the run to stop it; an ended run stays as it is.
    Raises NotFound.
    """
    run = found(await ctx.runs.load(id), "run", id)
    if run.status == RunStatus.QUEUED and await ctx.services.job_runs.cancel(id):
        return await _fresh_run(ctx, id)
    if run.status in GOING_ON:
        live = ctx.services.runner.live.get(id)
        if live is not None:
            live.cancel()
            await live.ended()
        else:
            ctx.services.remote.cancel(id)
    return await _fresh_run(ctx, id)


@stream(Scope.READ)
async def watch_run(ctx: Context, id: UUID, after: str | None = None) -> AsyncIterator[RunEvent]:
    """How the run began, what it said so far and then says, how it ended. With `after` the
    beginning is left out; the text comes whole all the same. Raises NotFound.
    """
    async with aclosing(_followed(ctx, id, after)) as events:
        async for event in events:
            yield event


async def _followed(ctx: Context, id: UUID, after: str | None) -> AsyncGenerator[RunEvent, None]:
    found(await ctx.runs.load(id), "run", id)
    async with ctx.services.hub.subscribe([f"run:{id}"], None, lambda _: True) as told:
        run = await _fresh_run(ctx, id)
        if after is None:
            yield RunStarted(told.last, run)
        heard = Heard()
        if run.status in GOING_ON:
            async with aclosing(_told_until_ended(ctx, id, told)) as pieces:
                async for piece in pieces:
                    if (news := heard.take(*piece)) is not None:
                        yield RunText(*news)
        run = await _fresh_run(ctx, id)
        message = await answer_of(ctx.reads, id)
        text = "" if message is None else message.content or await _recalled(ctx, run)
        if text and text != heard.text and (news := heard.take(0, text)) is not None:
            yield RunText(*news)
        yield RunEnded(told.last, run, message)


async def _recalled(ctx: Context, run: RunView) -> str:
    """An answer that was not stored, from the memory of the worker that gave it not long ago."""
    if run.ended_at is None or now() - run.ended_at > timedelta(seconds=REMEMBER_S):
        return ""
    live = ctx.services.runner.recent.get(run.id)
    if live is not None:
        return "".join(live.pieces)
    pieces: list[str] = []
    if await _is_withheld(ctx, run):
        with suppress(TimeoutError):
            async with asyncio.timeout(RECALL_S), aclosing(_text(ctx, run.id)) as source:
                async for _, text in source:
                    pieces.append(text)
    return "".join(pieces)


Item = EventRow | tuple[int, str]


async def _told_until_ended(
    ctx: Context, id: UUID, told: AsyncIterator[EventRow]
) -> AsyncGenerator[tuple[int, str], None]:
    """What a run says, begun anew with each worker that carries it."""
    goes_on = True
    while goes_on:
        goes_on = False
        async with aclosing(merged(_next_turn(told), _text(ctx, id))) as items:
            async for item in items:
                if isinstance(item, EventRow):
                    goes_on = item.kind != "run.ended"
                    break
                yield item


async def _next_turn(told: AsyncIterator[EventRow]) -> AsyncIterator[Item]:
    """The next event after which somebody else speaks, or nobody any more."""
    async for event in told:
        if event.kind in TURNS:
            yield event
            return


async def _text(ctx: Context, id: UUID) -> AsyncGenerator[tuple[int, str], None]:
    """From the run itself where this worker carries it, else from the worker that does."""
    live = ctx.services.runner.live.get(id)
    pieces = live.text() if live is not None else ctx.services.remote.text(id)
    async with aclosing(pieces) as source:
        async for piece in source:
            yield piece


async def _fresh_run(ctx: Context, id: UUID) -> RunView:
    ctx.runs.clear(id)
    return found(await ctx.runs.load(id), "run", id)
