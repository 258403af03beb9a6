"""`/graphql` over WebSocket: the protocol graphql-transport-ws, for all three kinds of operation.

Close codes besides the protocol's own: 4401 when the credential is bad, missing or no longer
holds, 4403 when it may not do this, 1009 for a message that is too long, 1012 when the server
stops, 1013 for a reader that is too slow, a database that is away, or a limit of sockets or calls
(the reason says which). A page of another site, or an address that calls too often, gets its
answer by HTTP instead of the upgrade.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any, Final

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from goclaw.core.errors import GatewayError, NotFound, RateLimited, Unauthenticated
from goclaw.core.locales import Locale, locale_of
from goclaw.resolvers.admission import Admission, Admissions
from goclaw.resolvers.enter import Credential, count_call, holder_of
from goclaw.resolvers.services import Services
from goclaw.schema.asking import asked_of
from goclaw.schema.exchange import Exchange
from goclaw.schema.execution import Asked, Payload, Refused
from goclaw.schema.operations import answers
from goclaw.schema.refusals import shown
from goclaw.security.credentials import bearer
from goclaw.security.rates import group_of

log = structlog.get_logger()

PROTOCOL: Final = "graphql-transport-ws"
MAX_OPERATIONS: Final = 100
MAX_MESSAGE_BYTES: Final = 1024 * 1024
MAX_ID_CHARS: Final = 128
INIT_TIMEOUT_S: Final = 10.0
KEEP_ALIVE_S: Final = 15.0
SEND_TIMEOUT_S: Final = 20.0
CLOSE_TIMEOUT_S: Final = 1.0


class Closed(Exception):
    """The socket is to be closed for this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def closing(error: GatewayError, locale: Locale) -> Closed:
    """How an error that is about the whole connection ends it."""
    codes = {401: 4401, 403: 4403, 400: 4400, 429: 1013, 503: 1013}
    code = 1012 if error.code == "stopping" else codes.get(error.status, 4500)
    return Closed(code, error.text(locale))


class Sockets:
    """All sockets of a worker."""

    def __init__(self, services: Services, admissions: Admissions) -> None:
        self._services = services
        self._admissions = admissions

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, known: bool) -> None:
        await receive()
        call = Exchange(scope, receive, send)
        try:
            call.session = await self._services.edge.admit(scope, call.headers)
            if not known:
                raise NotFound("not_found", path=scope["path"][:200])
        except GatewayError as error:
            await refuse_upgrade(call, error)
            return
        offered = PROTOCOL in scope.get("subprotocols", ())
        headers = [(b"x-request-id", call.request_id.encode())]
        await send(
            {
                "type": "websocket.accept",
                "subprotocol": PROTOCOL if offered else None,
                "headers": headers,
            }
        )
        socket = Socket(call, self._services, self._admissions)
        await socket.run(None if offered else Closed(4406, "Subprotocol not acceptable"))


async def refuse_upgrade(call: Exchange, error: GatewayError) -> None:
    """An answer of HTTP, where the server can give one instead of the bare 403."""
    if "websocket.http.response" not in call.scope.get("extensions", {}):
        await call.send({"type": "websocket.close", "code": closing(error, call.locale).code})
        return
    headers = [(b"content-type", b"application/json"), (b"x-request-id", call.request_id.encode())]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    body = orjson.dumps({"errors": [shown(error, call)]})
    start = {"type": "websocket.http.response.start", "status": error.status, "headers": headers}
    await call.send(start)
    await call.send({"type": "websocket.http.response.body", "body": body})


class Socket:
    """One connection."""

    def __init__(self, call: Exchange, services: Services, admissions: Admissions) -> None:
        self._call = call
        self._services = services
        self._admissions = admissions
        self._credential = call.credential()
        self.request_id = call.request_id
        self.locale = call.locale
        self._admission: Admission | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._gone = False
        self._end: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    async def run(self, refusal: Closed | None) -> None:
        async with AsyncExitStack() as stack:
            try:
                if refusal is not None:
                    raise refusal
                address = group_of(self._credential.address)
                stack.enter_context(self._services.sockets.take(address=address))
                await self._begin(stack)
                await self._serve()
            except Closed as closed:
                await self._close(closed)
            except GatewayError as error:
                await self._close(closing(error, self.locale))
            except Exception as error:
                log.error("graphql.socket_failed", request_id=self._call.request_id, exc_info=error)
                await self._close(Closed(4500, "internal error"))
            finally:
                await self._stop_operations()

    async def _begin(self, stack: AsyncExitStack) -> None:
        """A bad credential in the upgrade closes at once; one in the first message counts more."""
        if self._credential.token is not None:
            await self._enter(stack)
        try:
            async with asyncio.timeout(INIT_TIMEOUT_S):
                message = await self._receive()
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        if message is None:
            raise Closed(1000, "")
        if message["type"] != "connection_init":
            raise Closed(4401, "Unauthorized")
        self.locale = locale_named(message.get("payload"), self.locale)
        named = credential_of(message.get("payload"), self._credential)
        if self._admission is None or named != self._credential:
            self._credential = named
            await self._enter(stack)
        await self._send({"type": "connection_ack"})

    async def _enter(self, stack: AsyncExitStack) -> None:
        admitting = self._admissions.admit(self._credential, self._call.request_id)
        self._admission = await stack.enter_async_context(admitting)
        ctx = self._admission.context(self.locale)
        if not ctx.signed_in:
            raise Unauthenticated("unauthenticated")
        stack.enter_context(self._services.sockets.take(credential=holder_of(ctx.caller)))

    async def _serve(self) -> None:
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._read()),
            asyncio.create_task(self._keep_alive()),
            asyncio.create_task(self._until_over(self._admitted)),
        ]
        try:
            await asyncio.wait({*tasks, self._end}, return_when=asyncio.FIRST_COMPLETED)
            if self._end.done():
                raise self._end.result()
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_over(self, admission: Admission) -> None:
        raise closing(await admission.over(), self.locale)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            await self._send({"type": "ping"})

    async def _read(self) -> None:
        while (message := await self._receive()) is not None:
            kind = message["type"]
            if kind == "subscribe":
                await self._subscribe(message)
            elif kind == "complete":
                self._complete(message.get("id"))
            elif kind == "ping":
                await self._send({"type": "pong"})
            elif kind == "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            elif kind != "pong":
                raise Closed(4400, f"Unknown message type {kind[:40]}")

    async def _subscribe(self, message: dict[str, Any]) -> None:
        id = message.get("id")
        if not isinstance(id, str) or not 0 < len(id) <= MAX_ID_CHARS:
            raise Closed(4400, "id must be a string of 1 to 128 characters")
        if id in self._operations:
            raise Closed(4409, f"Subscriber for {id} already exists")
        if len(self._operations) >= MAX_OPERATIONS:
            error = RateLimited("too_many_subscriptions", limit=MAX_OPERATIONS)
            await self._send({"id": id, "type": "error", "payload": [shown(error, self)]})
            return
        try:
            asked = asked_of(message.get("payload"))
        except GatewayError as error:
            raise Closed(4400, error.text(self.locale)) from error
        try:
            await count_call(self._admitted.context(self.locale))
        except RateLimited as error:
            await self._send({"id": id, "type": "error", "payload": [shown(error, self)]})
            return
        task = asyncio.create_task(self._operate(id, asked))
        self._operations[id] = task
        task.add_done_callback(lambda _: self._forget(id, task))

    def _forget(self, id: str, task: "asyncio.Task[None]") -> None:
        """The id may be another operation's by now."""
        if self._operations.get(id) is task:
            del self._operations[id]

    @property
    def _admitted(self) -> Admission:
        assert self._admission is not None
        return self._admission

    def _complete(self, id: object) -> None:
        task = self._operations.pop(id, None) if isinstance(id, str) else None
        if task is not None:
            task.cancel()

    async def _operate(self, id: str, asked: Asked) -> None:
        try:
            await self._answer(id, self._admitted, asked)
        except Closed as closed:
            self._finish(closed)
        except GatewayError as error:
            self._finish(closing(error, self.locale))
        except Exception as error:  # noqa: BLE001 - `shown` logs it
            entry = shown(error, self)
            with suppress(Closed):
                await self._send({"id": id, "type": "error", "payload": [entry]})

    async def _answer(self, id: str, admission: Admission, asked: Asked) -> None:
        try:
            async with answers(admission, asked, self.locale) as payloads:
                async for payload in payloads:
                    await self._send_next(id, payload)
        except Refused as refused:
            await self._send({"id": id, "type": "error", "payload": refused.errors})
        else:
            await self._send({"id": id, "type": "complete"})

    async def _send_next(self, id: str, payload: Payload) -> None:
        await self._send({"id": id, "type": "next", "payload": payload})

    def _finish(self, closed: Closed) -> None:
        if not self._end.done():
            self._end.set_result(closed)

    async def _receive(self) -> dict[str, Any] | None:
        """None when the client is gone. Raises Closed for what is no message."""
        event = await self._call.receive()
        if event["type"] == "websocket.disconnect":
            self._gone = True
            return None
        text = event.get("text")
        if text is None:
            raise Closed(4400, "Messages must be text")
        if len(text) > MAX_MESSAGE_BYTES:
            raise Closed(1009, f"A message may have at most {MAX_MESSAGE_BYTES} characters")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(4400, "Messages must be JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "Messages must be objects with a type")
        return message

    async def _send(self, message: dict[str, Any]) -> None:
        """Raises Closed when the client does not read."""
        text = orjson.dumps(message).decode()
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S), self._sending:
                await self._call.send({"type": "websocket.send", "text": text})
        except TimeoutError:
            raise Closed(1013, "The reader is too slow") from None
        except (OSError, RuntimeError):
            self._gone = True
            raise Closed(1006, "") from None

    async def _close(self, closed: Closed) -> None:
        if self._gone:
            return
        reason = closed.reason.encode()[:120].decode(errors="ignore")
        message = {"type": "websocket.close", "code": closed.code, "reason": reason}
        with suppress(OSError, RuntimeError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._call.send(message)

    async def _stop_operations(self) -> None:
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def credential_of(payload: object, sent: Credential) -> Credential:
    """What the first message names, else what came with the upgrade."""
    if not isinstance(payload, Mapping):
        return sent
    named = {str(key).lower(): value for key, value in payload.items() if isinstance(value, str)}
    token = bearer(named.get("authorization"))
    user_id = named.get("x-goclaw-user-id")
    return replace(sent, token=token or sent.token, user_id=user_id or sent.user_id)


def locale_named(payload: object, sent: Locale) -> Locale:
    """The `locale` of the first message, in the form of Accept-Language; else the upgrade's."""
    named = payload.get("locale") if isinstance(payload, Mapping) else None
    return locale_of(named, sent) if isinstance(named, str) else sent
