"""What a request has to pass before it is read: whence, how many, how large, how encoded."""

from collections.abc import Mapping
from typing import Any, Final

from goclaw.core.errors import Forbidden, HeadersTooLarge, UnsupportedMedia, UriTooLong
from goclaw.core.settings import Settings
from goclaw.security.origin import PAGE_HEADER, Origins
from goclaw.security.rates import Rates
from goclaw.security.web_sessions import SessionCookie

MAX_HEADERS: Final = 100
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PAGE_LINE: Final = PAGE_HEADER.lower().encode()
PLAIN: Final = frozenset({b"", b"identity"})

Scope = Mapping[str, Any]
Headers = Mapping[bytes, bytes]


class Edge:
    """The rules of one server, for every door."""

    def __init__(self, settings: Settings, rates: Rates) -> None:
        self.origins = Origins(settings)
        self._rates = rates
        self._max_query_bytes = settings.max_query_bytes
        self._prefix = settings.path_prefix

    async def admit(self, scope: Scope, headers: Headers, *, public: bool = False) -> str | None:
        """Gives the session of the page that called, where a cookie of it counts. `public`:
        whoever asks may know the answer, from wherever.

        Raises Forbidden, RateLimited, HeadersTooLarge, UriTooLong, UnsupportedMedia.
        """
        if not public:
            self.origins.check(_text(headers.get(b"host")), _text(headers.get(b"origin")))
        client = scope.get("client")
        await self._rates.count_address(client[0] if client else None)
        if len(scope["headers"]) > MAX_HEADERS:
            raise HeadersTooLarge("too_many_headers", limit=MAX_HEADERS)
        if len(scope["query_string"]) > self._max_query_bytes:
            raise UriTooLong("query_string_too_long", limit_bytes=self._max_query_bytes)
        encoding = headers.get(b"content-encoding", b"").strip().lower()
        if encoding not in PLAIN:
            raise UnsupportedMedia("encoding_refused", encoding=encoding[:40].decode("latin-1"))
        return self._session(scope, headers) if b"cookie" in headers else None

    def cookie(self, scope: Scope) -> SessionCookie:
        return SessionCookie(scope["scheme"] in ("https", "wss"), self._prefix)

    def _session(self, scope: Scope, headers: Headers) -> str | None:
        """Browsers send cookies unasked, also for other sites' pages: what changes something
        has to come from a page of ours. A token in the request makes the cookie irrelevant.
        """
        secret = self.cookie(scope).read(headers[b"cookie"])
        if secret is None or b"authorization" in headers:
            return None
        if scope["type"] == "websocket":
            self._check_page(headers)
        elif scope["method"] not in SAFE:
            if PAGE_LINE not in headers:
                raise Forbidden("cross_site", header=PAGE_HEADER)
            self._check_page(headers)
        return secret

    def _check_page(self, headers: Headers) -> None:
        """Raises Forbidden."""
        self.origins.check_own(_text(headers.get(b"host")), _text(headers.get(b"origin")))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
