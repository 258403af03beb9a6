"""Subscriptions over plain HTTP: `multipart/mixed;subscriptionSpec=1.0`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, Final

import orjson

from goclaw.core.errors import GatewayError
from goclaw.resolvers.admission import Admission
from goclaw.schema.exchange import Exchange
from goclaw.schema.execution import Asked, Payload, Refused
from goclaw.schema.refusals import shown
from goclaw.schema.streaming import payloads

KEEP_ALIVE_S: Final = 15.0
SEND_TIMEOUT_S: Final = 30.0
CONTENT_TYPE: Final = 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
PART: Final = b"\r\n--graphql\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
END: Final = b"\r\n--graphql--\r\n"


async def stream_parts(call: Exchange, admission: Admission, asked: Asked) -> None:
    """Until the subscription ends, the client hangs up or does not read, or the credential
    no longer holds.
    """
    await call.start(200, {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
    sending = asyncio.create_task(_send_all(call, admission, asked))
    gone = asyncio.create_task(_hung_up(call))
    over = asyncio.create_task(admission.over())
    try:
        await asyncio.wait({sending, gone, over}, return_when=asyncio.FIRST_COMPLETED)
        if over.done() and not sending.done():
            await _stop(sending)
            await _send_end(call, over.result())
    finally:
        for task in (sending, gone, over):
            await _stop(task)


async def _stop(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, TimeoutError, OSError):
        await task


async def _hung_up(call: Exchange) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass


async def _send_all(call: Exchange, admission: Admission, asked: Asked) -> None:
    try:
        async with aclosing(payloads(admission, asked, call.locale)) as source:
            async for payload in _with_heartbeats(source):
                await _send(call, {} if payload is None else {"payload": payload})
    except Refused as refused:
        await _send(call, {"payload": None, "errors": refused.errors})
    await _send_bytes(call, END, more=False)


async def _send_end(call: Exchange, error: GatewayError) -> None:
    await _send(call, {"payload": None, "errors": [shown(error, call)]})
    await _send_bytes(call, END, more=False)


async def _with_heartbeats(
    source: AsyncGenerator[Payload, None],
) -> AsyncGenerator[Payload | None, None]:
    """None whenever nothing came for a while."""
    coming: asyncio.Future[Payload] = asyncio.ensure_future(anext(source))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=KEEP_ALIVE_S)
            if not done:
                yield None
                continue
            try:
                payload = coming.result()
            except StopAsyncIteration:
                return
            yield payload
            coming = asyncio.ensure_future(anext(source))
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, Refused):
            await coming


async def _send(call: Exchange, part: dict[str, Any]) -> None:
    await _send_bytes(call, PART + orjson.dumps(part), more=True)


async def _send_bytes(call: Exchange, body: bytes, *, more: bool) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await call.send({"type": "http.response.body", "body": body, "more_body": more})
