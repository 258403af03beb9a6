import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from datetime import timedelta
from functools import partial
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
from goclaw.resolvers.long_context import compaction_of, context_of, history_limit
from goclaw.resolvers.operation import operation, stream
from goclaw.resolvers.refs import Ref
from goclaw.resolvers.run_steps import RunSteps, answer_among, text_of
from goclaw.resolvers.turns import Spoken, chat_target, new_turn
from goclaw.runtime.history import lacks_contents
from goclaw.runtime.live import Turn, cancelled
from goclaw.runtime.recent import REMEMBER_S
from goclaw.runtime.steps import PREVIEW_CHARS
from goclaw.store.runs import count_runs as count_matching
from goclaw.store.runs import runs_page
from goclaw.store.sessions import (
    answer_of,
    messages_until,
    question_of,
    session_by_key,
    steps_of,
)
from goclaw.store.steps import inject

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
    or agent. While the session is answering, the run that answers takes what is said before its
    next step; Conflict where it calls no tools, and so takes nothing, or five messages wait.
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
    turn = await _turn(ctx, agent or "", session, data.text, channel="web")
    try:
        return await _begin(ctx, once, turn)
    except Conflict as error:
        if session is None or error.code != "session_busy":
            raise
    return await _inject(ctx, once, session, data.text)


async def _inject(ctx: Context, once: Once, session: Session, text: str) -> UUID:
    """Hands it to the run that holds the session. Raises Conflict when that takes nothing, or
    has not yet taken what was said before.
    """
    message = {"id": uuid7(), "content": text, "at": now()}
    told = {"text": ctx.services.scrubber.clip(text, PREVIEW_CHARS)}
    database, user_id = ctx.services.database, ctx.user_id
    run_id = await inject(database, session.id, user_id, message, uuid7(), told, once.for_run())
    if run_id is None:
        raise Conflict("session_busy")
    ctx.services.runner.tell()
    return run_id


async def continue_session(ctx: Context, session: Session, text: str, *, channel: str) -> UUID:
    """The run that answers; it goes on by itself. Raises Conflict while the session is answering,
    NotFound for an agent that does not answer any more.
    """
    once = Once(ctx, "continue_session", text.encode())
    return await _begin(
        ctx, once, await _turn(ctx, session.agent_id, session, text, channel=channel)
    )


@operation(Scope.WRITE)
async def wake_agent(ctx: Context, id: Ref, data: Wake) -> WakeResult:
    """Waits for the answer; the run goes on when the caller hangs up. Raises NotFound, Conflict
    while the session is answering or when the answer to a repeated request was not stored,
    UpstreamFailed and its like when the model fails.
    """
    run_id = await _wake(ctx, id, data)
    said = await _until_ended_well(ctx, run_id)
    return await _wake_result(ctx, run_id, said)


@operation(Scope.WRITE)
async def start_wake(ctx: Context, id: Ref, data: Wake) -> RunView:
    """Gives the run at once. Raises like `wake_agent`, but for the model's failures."""
    run_id = await _wake(ctx, id, data)
    return found(await ctx.runs.load(run_id), "run", run_id)


async def _wake(ctx: Context, id: Ref, data: Wake) -> UUID:
    once = Once(ctx, "wake_agent", f"{id}\n{data.model_dump_json()}".encode())
    return await once.carry_out(lambda: _wake_once(ctx, once, id, data), partial(_begun, ctx))


async def _wake_once(ctx: Context, once: Once, id: Ref, data: Wake) -> UUID:
    session = None
    if data.session_key is not None:
        row = await chat_target(ctx, id, or_default=False)
        session = await session_by_key(ctx.reads, row.id, ctx.user_id, data.session_key)
    turn = await _turn(ctx, id, session, data.message, channel="wake", session_key=data.session_key)
    return await _begin(ctx, once, turn)


async def _until_ended_well(ctx: Context, id: UUID) -> str:
    """What was heard of the answer. Raises what the run failed with; of a run of before or
    elsewhere, that it failed.
    """
    live = ctx.services.runner.live.get(id)
    if live is not None:
        await live.ended()
        if live.error is not None:
            raise live.error
        return "".join(live.pieces)
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


async def _turn(
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
        rows = await messages_until(
            ctx.reads, session.id, session.message_count, history_limit(row)
        )
        if not row.store_contents or any(map(lacks_contents, rows)):
            raise Conflict("session_not_stored", key=row.key)
        kept = context_of(row, session, rows)
    before = b"" if session is None else bytes(session.prefix_hash or b"")
    spoken = Spoken(kept, [ModelMessage("user", text)], before)
    turn = await new_turn(
        ctx,
        row,
        spoken,
        channel=channel,
        session_id=None if session is None else session.id,
        session_key=session_key,
        options=ModelRequest(model="", messages=[]),
    )
    turn.compaction = compaction_of(row)
    return turn


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
    if run.status == RunStatus.RUNNING:
        live = ctx.services.runner.live.get(id)
        if live is not None:
            live.cancel()
            await live.ended()
        else:
            ctx.services.remote.cancel(id)
    return await _fresh_run(ctx, id)


@stream(Scope.READ)
async def watch_run(ctx: Context, id: UUID, after: str | None = None) -> AsyncIterator[RunEvent]:
    """How the run began, what it did and said so far, what it then does and says, how it ended.
    With `after` the beginning is left out; all else comes whole all the same. Raises NotFound.
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
        steps = RunSteps(ctx)
        for happened in steps.read(await steps_of(ctx.reads, id, run.started_at), told.last):
            yield happened
        heard = 0
        if run.status == RunStatus.RUNNING:
            sources: tuple[AsyncIterator[Heard], ...] = (told, _text(ctx, id))
            async with aclosing(merged(*sources)) as items:
                async for item in items:
                    if isinstance(item, EventRow):
                        for happened in steps.heard(item):
                            yield happened
                        if item.kind == "run.ended":
                            break
                    else:
                        yield RunText(*item)
                        heard = item[0] + len(item[1])
        run = await _fresh_run(ctx, id)
        written = await steps_of(ctx.reads, id, run.started_at)
        for happened in steps.read(written, told.last):
            yield happened
        message = answer_among(written)
        text = "" if message is None else text_of(written) or await _recalled(ctx, run)
        if heard < len(text):
            yield RunText(heard, text[heard:])
        yield RunEnded(told.last, run, message)


Heard = EventRow | tuple[int, str]


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
