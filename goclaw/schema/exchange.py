"""One HTTP request and its answer, on the bare ASGI messages."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope, Send

from goclaw.core.errors import GatewayError, TooLarge
from goclaw.core.locales import Locale, locale_of
from goclaw.core.request_ids import request_id
from goclaw.resolvers.enter import Credential
from goclaw.schema.refusals import shown
from goclaw.security.credentials import bearer

MAX_BODY_BYTES: Final = 1024 * 1024


class ClientGone(Exception):
    """The client hung up before it had sent its whole request."""


class Exchange:
    """`cors` are headers that every answer carries; `media_type` is what an answer is sent as;
    `session` is the secret of a signed-in page, once the request was let in.
    """

    __slots__ = ("cors", "headers", "media_type", "receive", "request_id", "scope", "send",
                 "session")  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.cors: Mapping[str, str] = {}
        self.session: str | None = None
        self.media_type = "application/json; charset=utf-8"
        self.request_id = request_id(self.header(b"x-request-id"))

    def header(self, name: bytes) -> str | None:
        """`name` in lower case."""
        value = self.headers.get(name)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")

    @property
    def locale(self) -> Locale:
        return locale_of(self.header(b"accept-language"))

    def credential(self) -> Credential:
        client = self.scope.get("client")
        return Credential(
            token=bearer(self.header(b"authorization")),
            user_id=self.header(b"x-goclaw-user-id") or None,
            address=client[0] if client else None,
            idempotency_key=self.header(b"idempotency-key"),
            session=self.session,
        )

    async def body(self) -> bytes:
        """Raises TooLarge, also for a body that does not say its length; ClientGone."""
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
            raise TooLarge("body_too_large", limit_bytes=MAX_BODY_BYTES)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise TooLarge("body_too_large", limit_bytes=MAX_BODY_BYTES)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        sent = {"X-Request-Id": self.request_id, **self.cors, **headers}
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})

    async def respond(
        self, status: int, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> None:
        await self.start(
            status,
            {
                "Content-Type": media_type,
                "Content-Length": str(len(body)),
                **headers,
            },
        )
        await self.send({"type": "http.response.body", "body": body})

    async def respond_json(
        self, status: int, payload: dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        more = {"Cache-Control": "no-store", "Vary": "Accept, Origin", **(headers or {})}
        if "errors" in payload:
            more |= {"Content-Language": self.locale, "Vary": "Accept, Accept-Language, Origin"}
        await self.respond(status, encoded_payload(payload), self.media_type, more)

    async def refuse(self, error: GatewayError, headers: Mapping[str, str] | None = None) -> None:
        more = dict(headers or {})
        if error.status == 401:
            more["WWW-Authenticate"] = "Bearer"
        if error.retry_after_s is not None:
            more["Retry-After"] = str(error.retry_after_s)
        payload = {"errors": [shown(error, self)]}
        await self.respond_json(error.status, payload, more)


def encoded_payload(payload: dict[str, Any]) -> bytes:
    return orjson.dumps(payload)
