"""Waking an agent: a run that waits in the queue until a worker carries it."""

import asyncio
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, GatewayError, UpstreamFailed
from goclaw.core.ids import uuid7
from goclaw.models.chat import UsageView, Wake, WakeResult
from goclaw.models.run_events import RunEnded, RunText
from goclaw.models.runs import RunStatus, RunView
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.following import GOING_ON, followed, fresh_run, is_withheld
from goclaw.resolvers.idempotency import Once
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import Ref
from goclaw.resolvers.runs import begin_detached, begun_before, spoken_turn
from goclaw.resolvers.turns import chat_target
from goclaw.runtime.job_runs import Lane
from goclaw.runtime.live import LiveRun, Turn, cancelled
from goclaw.store.sessions import answer_of, session_by_key


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
            return await begin_detached(ctx, once, turn)
        await ctx.services.job_runs.queue(run_id, turn, Lane.MAIN, retries, once.for_run())
        ctx.services.hub.wake()
        return run_id

    return await once.carry_out(queue, partial(begun_before, ctx))


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
        run = await fresh_run(ctx, id)
        if run.status not in GOING_ON:
            return
        async for event in told:
            if event.kind == "run.ended":
                return


async def _heard_out(ctx: Context, id: UUID) -> str:
    heard: list[str] = []
    async with aclosing(followed(ctx, id, None)) as events:
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
    run = await fresh_run(ctx, id)
    answer = await answer_of(ctx.reads, id)
    content = said if answer is None else answer.content or said
    if run.output_tokens and not content and await is_withheld(ctx, run):
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
