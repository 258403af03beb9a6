"""The one HTTP client for addresses that a user can name."""

import re
import socket
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import abc
from yarl import URL

from goclaw.core.errors import InvalidInput, UpstreamFailed
from goclaw.security.addresses import AllowedHosts, is_public, is_refused_host

_DNS_CACHE_S: Final = 30
_KEEP_ALIVE_S: Final = 60
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
# Parsers differ on these, and some drop them silently.
_UNWRITTEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
_NOBODY: Final = AllowedHosts()


class AddressRefused(OSError):
    """An OSError, because the connector hands only those through unchanged."""


def check_url(url: str, field: str, allowed: AllowedHosts = _NOBODY) -> URL:
    """What can be told when an address is written down; names are resolved when it is used.

    Raises InvalidInput for anything but http(s)://host[:port][/path] and for a host
    that is a reserved address in any notation.
    """
    parsed = _parsed(url, field)
    host = parsed.raw_host or ""
    if (host, parsed.port) not in allowed and is_refused_host(host):
        raise InvalidInput("host_refused", field=field, host=_shown(parsed))
    return parsed


def _parsed(url: str, field: str) -> URL:
    url = url.strip()
    try:
        parsed = URL(url)
        bare = not (parsed.raw_user or parsed.raw_password or parsed.query_string)
        sound = parsed.scheme in ("http", "https") and bare and not parsed.raw_fragment
        sound = sound and not _UNWRITTEN.search(url)
        if sound and parsed.port and _HOST.fullmatch(parsed.raw_host or ""):
            return parsed
    except ValueError:
        pass
    raise InvalidInput("url_invalid", field=field)


def _shown(url: URL) -> str:
    host = url.host or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.is_default_port() else f"{host}:{url.port}"


class _CheckedResolver(abc.AbstractResolver):
    """Refuses a name as soon as one of its addresses is reserved."""

    def __init__(self, resolver: abc.AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            _check_address(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _check_address(host: str) -> None:
    if not is_public(ip_address(host)):
        raise AddressRefused(f"{host} is reserved")


def _checked_socket(addr_info: aiohttp.AddrInfoType) -> socket.socket:
    """The last word: sees every address that is about to be connected to, literals too."""
    family, kind, proto, _, address = addr_info
    _check_address(str(address[0]))
    return socket.socket(family=family, type=kind, proto=proto)


class OutboundClient:
    """Keeps connections alive; follows no redirect; refuses reserved addresses.

    `allowed_hosts` and the embedded model's own address go unchecked, over a
    connection pool of their own. Works between `open` and `close`.
    """

    def __init__(
        self, allowed_hosts: Iterable[str] = (), *, resolver: abc.AbstractResolver | None = None
    ) -> None:
        self.allowed_hosts = AllowedHosts(allowed_hosts)
        self.embedded_url: URL | None = None
        self._resolver = resolver
        self._checked: aiohttp.ClientSession | None = None
        self._unchecked: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        resolver = self._resolver or aiohttp.ThreadedResolver()
        self._checked = _session(
            aiohttp.TCPConnector(
                limit=0,
                resolver=_CheckedResolver(resolver),
                ttl_dns_cache=_DNS_CACHE_S,
                keepalive_timeout=_KEEP_ALIVE_S,
                socket_factory=_checked_socket,
            )
        )
        self._unchecked = _session(
            aiohttp.TCPConnector(
                limit=0,
                resolver=resolver,
                ttl_dns_cache=_DNS_CACHE_S,
                keepalive_timeout=_KEEP_ALIVE_S,
            )
        )

    async def close(self) -> None:
        for session in (self._checked, self._unchecked):
            if session is not None:
                await session.close()
        self._checked = self._unchecked = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def check_url(self, url: str, field: str) -> URL:
        """`check_url` with the hosts this server allows."""
        return check_url(url, field, self.allowed_hosts)

    def embed(self, base_url: str | None) -> None:
        """The embedded model's address, which only `request(embedded=True)` may use."""
        self.embedded_url = URL(base_url).origin() if base_url else None

    async def request(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        limits: aiohttp.ClientTimeout,
        data: bytes | None = None,
        embedded: bool = False,
    ) -> aiohttp.ClientResponse:
        """The head of the answer. Raises UpstreamFailed for a refused host, else aiohttp's errors.

        The caller closes or reads the response to its end.
        """
        session = self._session_for(url, embedded)
        try:
            return await session.request(
                method, url, headers=headers, data=data, timeout=limits, allow_redirects=False
            )
        except aiohttp.InvalidURL:
            pass
        except aiohttp.ClientConnectorError as error:
            if not isinstance(error.os_error, AddressRefused):
                raise
        raise UpstreamFailed("host_refused", host=_shown(url))

    def _session_for(self, url: URL, embedded: bool) -> aiohttp.ClientSession:
        if embedded and url.origin() != self.embedded_url:
            raise UpstreamFailed("host_refused", host=_shown(url))
        open_to_all = embedded or (url.raw_host or "", url.port) in self.allowed_hosts
        session = self._unchecked if open_to_all else self._checked
        if session is None:
            raise RuntimeError("the outbound client is not open")
        return session


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "goclaw", "Accept-Encoding": "identity"},
        trust_env=False,
    )


async def read_limited(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """The body, unpacked. Raises UpstreamFailed beyond the limit, and closes the response."""
    parts: list[bytes] = []
    left = limit_bytes
    while chunk := await response.content.readany():
        left -= len(chunk)
        if left < 0:
            response.close()
            raise UpstreamFailed("upstream_too_large", limit_bytes=limit_bytes)
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)
