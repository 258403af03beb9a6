"""`/graphql` over HTTP."""

from typing import Final

from graphql import OperationType

from goclaw.core.errors import GatewayError, MethodNotAllowed, NotFound
from goclaw.resolvers.admission import Admissions
from goclaw.resolvers.enter import enter
from goclaw.resolvers.services import Services
from goclaw.schema.asking import GRAPHQL, HTML, JSON, MULTIPART, accepted, from_body, from_url
from goclaw.schema.exchange import ClientGone, Exchange
from goclaw.schema.execution import Asked, Payload, Refused, document_of, run
from goclaw.schema.graphiql import GraphiQL
from goclaw.schema.multipart import stream_parts
from goclaw.schema.refusals import shown

METHODS: Final = "GET, POST"
FILES: Final = "/graphql/assets/"
ALLOWED_ALWAYS: Final = frozenset({200, 405})


class HttpDoor:
    def __init__(self, services: Services, admissions: Admissions) -> None:
        self._services = services
        self._admissions = admissions
        self._edge = services.edge
        self._graphiql = GraphiQL(services.settings.path_prefix)

    async def answer(self, call: Exchange) -> None:
        """Whatever happens, the client is told by status and code."""
        try:
            await self._answer(call)
        except ClientGone:
            return
        except GatewayError as error:
            allow = {"Allow": METHODS} if isinstance(error, MethodNotAllowed) else {}
            await call.refuse(error, allow)
        except Exception as error:  # noqa: BLE001 - `shown` logs it
            await call.respond_json(500, {"errors": [shown(error, call)]})

    async def answer_file(self, call: Exchange, path: str) -> None:
        """A file of the query editor."""
        if call.scope["method"] != "GET" or not path.startswith(FILES):
            raise NotFound("not_found", path=path[:200])
        await self._graphiql.answer_file(call, path.removeprefix("/graphql/"))

    async def _answer(self, call: Exchange) -> None:
        origin = call.header(b"origin")
        call.cors = self._edge.origins.cors(origin)
        method = call.scope["method"]
        accept = call.header(b"accept")
        if method == "OPTIONS":
            headers = {"Allow": METHODS, **self._edge.origins.preflight(origin)}
            await call.respond(204, b"", "text/plain", headers)
            return
        call.session = await self._edge.admit(call.scope, call.headers)
        if method == "GET" and accepted(accept, JSON, GRAPHQL, HTML) == HTML:
            await self._graphiql.answer(call)
            return
        if accepted(accept, JSON, GRAPHQL) == GRAPHQL:
            call.media_type = f"{GRAPHQL}; charset=utf-8"
        if method not in ("GET", "POST"):
            raise MethodNotAllowed("method_not_allowed", method=method, allowed=METHODS)
        asked = from_url(call) if method == "GET" else await from_body(call)
        try:
            await self._operate(call, asked)
        except Refused as refused:
            allow = {"Allow": "POST"} if refused.status == 405 else {}
            await call.respond_json(status_of(refused, call), refused.payload, allow)

    async def _operate(self, call: Exchange, asked: Asked) -> None:
        credential = call.credential()
        reading = call.scope["method"] == "GET"
        if not reading and MULTIPART in (call.header(b"accept") or "").lower():
            kind = document_of(asked, call).kind(asked.operation_name)
            if kind is OperationType.SUBSCRIPTION:
                async with self._admissions.admit(credential, call.request_id) as admission:
                    await stream_parts(call, admission, asked)
                return
        ctx = await enter(self._services, credential, call.request_id, call.locale)
        payload = await run(ctx, asked, only_queries=reading)
        await call.respond_json(200, payload, retry_after(payload))


def retry_after(payload: Payload) -> dict[str, str]:
    """When something was not available just now, the header says so too."""
    waits = [error["extensions"].get("retryAfterS", 0) for error in payload.get("errors", ())]
    return {"Retry-After": str(max(waits))} if any(waits) else {}


def status_of(refused: Refused, call: Exchange) -> int:
    """Older clients, who ask for plain JSON, read 200 for whatever was well-formed."""
    if call.media_type.startswith(GRAPHQL) or refused.status in ALLOWED_ALWAYS:
        return refused.status
    return 200
