from functools import partial
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, Forbidden
from goclaw.core.ids import uuid7
from goclaw.core.paging import Page, PageRequest
from goclaw.models.chat import SendMessage
from goclaw.models.idempotency import IdempotentRequest
from goclaw.models.runs import RunStatus, RunView
from goclaw.models.sessions import Session
from goclaw.models.shapes import now
from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.resolvers.context import Context, found
from goclaw.resolvers.following import GOING_ON, fresh_run
from goclaw.resolvers.idempotency import Once
from goclaw.resolvers.long_context import compaction_of, context_of, history_limit
from goclaw.resolvers.operation import operation
from goclaw.resolvers.refs import Ref
from goclaw.resolvers.turns import Spoken, chat_target, new_turn
from goclaw.runtime.history import lacks_contents
from goclaw.runtime.live import Turn
from goclaw.runtime.steps import PREVIEW_CHARS
from goclaw.store.runs import count_runs as count_matching
from goclaw.store.runs import runs_page
from goclaw.store.sessions import messages_until
from goclaw.store.steps import inject


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
    id = await once.carry_out(lambda: _send(ctx, once, data), partial(begun_before, ctx))
    return found(await ctx.runs.load(id), "run", id)


async def begun_before(ctx: Context, kept: IdempotentRequest) -> UUID:
    """Raises NotFound for who may not see it: the request came with another key of the user."""
    return found(await ctx.runs.load(kept.result_id), "run", kept.result_id).id


async def _send(ctx: Context, once: Once, data: SendMessage) -> UUID:
    session = None
    if data.session_id is not None:
        session = found(await ctx.sessions.load(data.session_id), "session", data.session_id)
    agent = session.agent_id if session is not None else data.agent_id
    turn = await spoken_turn(ctx, agent or "", session, data.text, channel="web")
    try:
        return await begin_detached(ctx, once, turn)
    except Conflict as error:
        if session is None or error.code != "session_busy":
            raise
    return await _inject(ctx, once, session, data.text)


async def _inject(ctx: Context, once: Once, session: Session, text: str) -> UUID:
    """Hands it to the run that holds the session. Raises Conflict when that takes nothing, or
    has not yet taken what was said before, InvalidInput where words that read like orders are
    blocked.
    """
    ctx.services.guard.refuse(text)
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
    return await begin_detached(
        ctx, once, await spoken_turn(ctx, session.agent_id, session, text, channel=channel)
    )


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


async def begin_detached(ctx: Context, once: Once, turn: Turn) -> UUID:
    """Commits the run and carries it in the background."""
    runner = ctx.services.runner
    run = await runner.begin(turn, once.for_run())
    runner.detach(run)
    return run.id


@operation(Scope.WRITE)
async def cancel_run(ctx: Context, id: UUID) -> RunView:
    """Asks the worker that carries the run to stop it; one that nobody carries ends at once, and
    one whose worker is dead as soon as that is certain. An ended run stays as it is.
    Raises NotFound.
    """
    run = found(await ctx.runs.load(id), "run", id)
    if run.status not in GOING_ON:
        return run
    live = ctx.services.runner.live.get(id)
    if live is not None:
        live.cancel()
        await live.ended()
    elif not await ctx.services.job_runs.cancel(id):
        ctx.services.remote.cancel(id)
    return await fresh_run(ctx, id)
