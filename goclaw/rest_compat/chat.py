"""POST /v1/chat/completions, the hot path: straight from the ASGI messages to the operation."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, nullcontext
from typing import Any, Final

import structlog

from goclaw.core.errors import GatewayError
from goclaw.models.chat import ChatRequest
from goclaw.models.parsing import parse_json
from goclaw.resolvers.admission import Admission, Admissions
from goclaw.resolvers.chat import ChatRun, Delta, start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.services import Services
from goclaw.rest_compat.bodies import body_user, json_object
from goclaw.rest_compat.chat_format import ChunkWriter, completion
from goclaw.rest_compat.exchange import Exchange
from goclaw.rest_compat.hang_up import HangUp
from goclaw.rest_compat.live_response import LiveResponse
from goclaw.rest_compat.refusals import Internal, openai_error, refuse

log = structlog.get_logger()

AGENT_HEADERS: Final = ("X-GoClaw-Agent-Id", "X-GoClaw-Agent")
AGENT_HEADER_NAMES: Final = tuple(name.lower().encode() for name in AGENT_HEADERS)
DONE_ALREADY: Final = (b"x-should-retry", b"false")
"""What OpenAI's clients look at before they ask again by themselves."""
Lines = tuple[tuple[bytes, bytes], ...]


def complete_chat(
    services: Services,
) -> Callable[[Exchange, Mapping[str, str]], Awaitable[None]]:
    admissions = Admissions(services)

    async def answer(exchange: Exchange, _: Mapping[str, str]) -> None:
        ctx, data, credential = await _asked(services, exchange)
        with admissions.keep(credential, ctx) if data.stream else nullcontext() as admission:
            run = await start_chat(ctx, data, _agent(exchange))
            lines = run_headers(run)
            async with HangUp(exchange.receive):
                try:
                    if admission is not None:
                        live = LiveResponse(exchange, lines)
                        await _stream(exchange, run, data, live, admission)
                    else:
                        reply = await run.reply()
                        body = completion(run, data.model or run.agent_key, reply)
                        await exchange.respond(200, body, headers=lines)
                except GatewayError as error:
                    if exchange.started:
                        raise
                    told = (*lines, DONE_ALREADY) if run.has_acted else lines
                    await refuse(exchange, error, openai=True, headers=told)

    return answer


async def _asked(services: Services, exchange: Exchange) -> tuple[Context, ChatRequest, Credential]:
    """Raises Unauthenticated and Forbidden before anything that is wrong with the body."""
    problem: GatewayError | None = None
    sent: dict[str, Any] = {}
    body = b""
    try:
        body = await exchange.json_body()
        sent = json_object(body)
    except GatewayError as error:
        problem = error
    credential = exchange.credential(body_user(sent, "user"))
    ctx = await enter(services, credential, exchange.request_id, exchange.locale)
    start_chat.admit(ctx)
    if problem is not None:
        raise problem
    return ctx, parse_json(ChatRequest, body), credential


def _agent(exchange: Exchange) -> str | None:
    for name in AGENT_HEADER_NAMES:
        if name in exchange.headers and (agent := exchange.header(name)):
            return agent
    return None


def run_headers(run: ChatRun) -> Lines:
    return (
        (b"x-goclaw-run-id", str(run.id).encode()),
        (b"x-goclaw-session-id", str(run.session_id).encode()),
    )


async def _stream(
    exchange: Exchange, run: ChatRun, data: ChatRequest, live: LiveResponse, admission: Admission
) -> None:
    """The vendor's first words decide the status; whatever fails later is told in the stream,
    also that the credential no longer holds.
    """
    options = data.stream_options
    writer = ChunkWriter(
        run,
        data.model or run.agent_key,
        with_usage=options is not None and options.include_usage,
    )
    try:
        async with aclosing(run.deltas()) as deltas, admission.cutting():
            await _write(writer, deltas, live)
        await live.end(writer.end())
    except GatewayError as error:
        if not live.started:
            raise
        await live.end(writer.failed(openai_error(error, exchange.locale)))
    except Exception:  # the status is out: only an event can tell that this is no answer
        if not live.started:
            raise
        log.exception("stream.failed", run_id=str(run.id))
        await live.end(writer.failed(openai_error(Internal(exchange.request_id), exchange.locale)))
    finally:
        live.close()


async def _write(
    writer: ChunkWriter, deltas: AsyncGenerator[list[Delta], None], live: LiveResponse
) -> None:
    chunk = writer.role()
    async for batch in deltas:
        chunk += writer.chunks(batch)
        if chunk:
            await live.write(chunk)
        chunk = b""
    if chunk:
        await live.write(chunk)
