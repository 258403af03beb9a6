"""One request and its answer, on the bare ASGI messages."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from goclaw.core.errors import TooLarge, UnsupportedMedia
from goclaw.core.locales import Locale, locale_of
from goclaw.core.request_ids import request_id
from goclaw.resolvers.enter import Credential
from goclaw.security.credentials import bearer

JSON: Final = b"application/json"
Headers = Iterable[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client hung up before it had sent its whole request."""


class Exchange:
    """`cors` are headers that every answer carries; `session` is the secret of a signed-in page,
    once the request was let in; `started` says that a status has been sent.
    """

    __slots__ = ("cors", "headers", "max_body_bytes", "receive", "request_id", "scope", "send",
                 "session", "started")  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.max_body_bytes = max_body_bytes
        self.cors: Sequence[tuple[bytes, bytes]] = ()
        self.session: str | None = None
        self.started = False
        self.request_id = request_id(self.header(b"x-request-id"))

    def header(self, name: bytes) -> str | None:
        """`name` in lower case. Bytes beyond ASCII are UTF-8 as other servers read them, else
        Latin-1 (RFC 9110).
        """
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

    def credential(self, body_user: str | None = None) -> Credential:
        client = self.scope.get("client")
        return Credential(
            token=bearer(self.header(b"authorization")),
            user_id=self.header(b"x-goclaw-user-id") or None,
            body_user=body_user,
            address=client[0] if client else None,
            idempotency_key=self.header(b"idempotency-key"),
            session=self.session,
        )

    async def json_body(self) -> bytes:
        """Raises UnsupportedMedia for a declared type other than JSON, TooLarge."""
        media_type = (self.header(b"content-type") or "").partition(";")[0].strip().lower()
        if media_type and not media_type.endswith(("/json", "+json")):
            raise UnsupportedMedia(
                "unsupported_media", content_type=media_type[:100], expected="application/json"
            )
        return await self.body()

    async def body(self) -> bytes:
        """Raises TooLarge, also for a body that does not say its length; ClientGone."""
        limit = self.max_body_bytes
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise TooLarge("body_too_large", limit_bytes=limit)
        message = await self.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            if len(body) > limit:
                raise TooLarge("body_too_large", limit_bytes=limit)
            return body
        return await self._chunked_body(message)

    async def _chunked_body(self, message: Message) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.max_body_bytes:
                raise TooLarge("body_too_large", limit_bytes=self.max_body_bytes)
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)
            message = await self.receive()

    def start(self, status: int, headers: Headers) -> Awaitable[None]:
        self.started = True
        return self.send({
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"x-request-id", self.request_id.encode()), *self.cors],
        })  # fmt: skip

    async def respond(
        self, status: int, body: bytes, media_type: bytes = JSON, headers: Headers = ()
    ) -> None:
        length = str(len(body)).encode()
        await self.start(
            status, ((b"content-type", media_type), (b"content-length", length), *headers)
        )
        await self.send({"type": "http.response.body", "body": body})


def header_lines(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
