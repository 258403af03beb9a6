"""Under which names a server answers, which sites' pages may call it, and which may read that.

Any page a browser opens could otherwise call a server that asks for no credential, or one the
browser is signed in to (cross-site requests), also under a name of its own (DNS rebinding).
Sockets are no exception: browsers open them across sites without asking first.
"""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from goclaw.core.errors import Forbidden
from goclaw.core.settings import Settings, is_loopback

PAGE_HEADER: Final = "X-GoClaw-Page"
"""No other site's page can send it: CORS below does not allow it."""
MAX_HOST_CHARS: Final = 262
"""A name of DNS with a port; longer ones are not even remembered."""

CORS_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
CORS_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, Prefer, X-GoClaw-Agent, X-GoClaw-Agent-Id, "
    "X-GoClaw-User-Id, X-Request-Id"
)
CORS_EXPOSED: Final = (
    "RateLimit, RateLimit-Policy, Retry-After, X-GoClaw-Run-Id, X-GoClaw-Session-Id, X-Request-Id"
)


class Origins:
    """The rules of one server, for every door."""

    def __init__(self, settings: Settings) -> None:
        # An address cannot be rebound, but an open server on loopback has no business with any.
        self._takes_addresses = not settings.is_open or not is_loopback(settings.host)
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)
        names = {name.strip("[]").lower() for name in settings.allowed_hosts}
        self._names = frozenset({settings.host.strip("[]").lower(), *names})
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._is_ours = lru_cache(maxsize=256)(self._host_is_ours)
        self._allowed_hosts = frozenset(_authority(origin) for origin in self._allowed)

    def check(self, host: str | None, origin: str | None) -> None:
        """Takes the headers of that name. Raises Forbidden."""
        named = host is None or (len(host) <= MAX_HOST_CHARS and self._is_ours(host))
        if not (named and self._origin_is_ours(origin, host)):
            raise Forbidden("origin_refused")

    def check_own(self, host: str | None, origin: str | None) -> None:
        """For what a browser sends along by itself, such as a cookie: the page must be one of
        this very server. Raises Forbidden.
        """
        if host is None or origin is None or _authority(origin) != host.lower():
            raise Forbidden("cross_site", header=PAGE_HEADER)

    def allows(self, origin: str | None) -> bool:
        """Whether a page of another site may read what the server answers."""
        return origin is not None and origin.lower() in self._allowed

    def cors(self, origin: str | None) -> Mapping[str, str]:
        """The headers that tell a browser so; none for other origins."""
        if origin is None or not self.allows(origin):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": CORS_EXPOSED,
            "Vary": "Origin",
        }

    def preflight(self, origin: str | None) -> Mapping[str, str]:
        """The headers that answer OPTIONS; none for origins that are not allowed."""
        cors = self.cors(origin)
        if not cors:
            return {}
        return {
            **cors,
            "Access-Control-Allow-Methods": CORS_METHODS,
            "Access-Control-Allow-Headers": CORS_HEADERS,
            "Access-Control-Max-Age": "600",
        }

    def _host_is_ours(self, host: str) -> bool:
        name = host_name(host)
        if is_loopback(name) or name in self._names or host.lower() in self._allowed_hosts:
            return True
        return name.endswith(self._suffixes) or (self._takes_addresses and _is_address(name))

    def _origin_is_ours(self, origin: str | None, host: str | None) -> bool:
        if origin is None or self.allows(origin):
            return True
        return host is not None and _authority(origin) == host.lower()


def host_name(host: str) -> str:
    """A Host header without its port, in lower case and without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _authority(origin: str) -> str:
    return origin.partition("://")[2].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
