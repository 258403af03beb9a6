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
from goclaw.security.ports import is_refused_port

_DNS_CACHE_S: Final = 30
_KEEP_ALIVE_S: Final = 60
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
# Parsers differ on these, and some drop them silently.
_UNWRITTEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
# Also an empty user, which the parser does not tell from none.
_USER: Final = re.compile(r"[^/?#]*//[^/?#]*@")
_NOBODY: Final = AllowedHosts()


class AddressRefused(OSError):
    """An OSError, because the connector hands only those through unchanged."""


def check_url(url: str, field: str, allowed: AllowedHosts = _NOBODY, *, whole: bool = False) -> URL:
    """What can be told when an address is written down; names are resolved when it is used.

    Raises InvalidInput for anything but http(s)://host[:port][/path], for a host that is a
    reserved address in any notation, and for a port that is no web server's. `whole` is for
    addresses of pages: they may have a query, and a fragment, which is taken off.
    """
    parsed = _parsed(url, field, whole=whole)
    refusal = refused_because(parsed, allowed)
    if refusal is not None:
        raise InvalidInput(refusal, field=field, host=shown(parsed), port=parsed.port)
    return parsed


def refused_because(url: URL, allowed: AllowedHosts) -> str | None:
    """An error code, or None as far as can be told without asking DNS."""
    host = url.raw_host or ""
    if (host, url.port) in allowed:
        return None
    if is_refused_host(host, allowed):
        return "host_refused"
    return "port_refused" if is_refused_port(url.port) else None


def _parsed(url: str, field: str, *, whole: bool) -> URL:
    url = url.strip()
    try:
        parsed = URL(url)
        extra = "" if whole else parsed.query_string + parsed.raw_fragment
        bare = not (parsed.raw_user or parsed.raw_password or extra or _USER.match(url))
        sound = parsed.scheme in ("http", "https") and bare and not _UNWRITTEN.search(url)
        if sound and parsed.port and _HOST.fullmatch(parsed.raw_host or ""):
            return parsed.with_fragment(None)
    except ValueError:
        pass
    raise InvalidInput("url_invalid", field=field)


def shown(url: URL) -> str:
    """Host and port, as an administrator would allow them."""
    host = url.host or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.is_default_port() else f"{host}:{url.port}"


class _Check:
    """Public addresses, and those of networks that an administrator allowed."""

    def __init__(self, allowed: AllowedHosts) -> None:
        self._allowed = allowed

    def __call__(self, host: str) -> None:
        """Raises AddressRefused."""
        try:
            address = ip_address(host)
        except ValueError as error:
            raise AddressRefused(f"{host} is no address") from error
        if not (is_public(address) or self._allowed.has_address(address)):
            raise AddressRefused(f"{host} is reserved")

    def socket(self, addr_info: aiohttp.AddrInfoType) -> socket.socket:
        """The last word: sees every address that is about to be connected to, literals too."""
        family, kind, proto, _, address = addr_info
        self(str(address[0]))
        return socket.socket(family=family, type=kind, proto=proto)


class _CheckedResolver(abc.AbstractResolver):
    """Refuses a name as soon as one of its addresses is reserved."""

    def __init__(self, resolver: abc.AbstractResolver, check: _Check) -> None:
        self._resolver = resolver
        self._check = check

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._check(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


class OutboundClient:
    """Keeps connections alive; follows no redirect (`fetch` does); refuses reserved addresses.

    `allowed_hosts`, the embedded model's own address and the collector's go unchecked, over a
    connection pool of their own. Works between `open` and `close`.
    """

    def __init__(
        self, allowed_hosts: Iterable[str] = (), *, resolver: abc.AbstractResolver | None = None
    ) -> None:
        self.allowed_hosts = AllowedHosts(allowed_hosts)
        self.embedded_url: URL | None = None
        self.collector_url: URL | None = None
        self._resolver = resolver
        self._checked: aiohttp.ClientSession | None = None
        self._unchecked: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        resolver = self._resolver or aiohttp.ThreadedResolver()
        check = _Check(self.allowed_hosts)
        self._checked = _session(
            aiohttp.TCPConnector(
                limit=0,
                resolver=_CheckedResolver(resolver, check),
                ttl_dns_cache=_DNS_CACHE_S,
                keepalive_timeout=_KEEP_ALIVE_S,
                socket_factory=check.socket,
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

    def check_url(self, url: str, field: str, *, whole: bool = False) -> URL:
        """`check_url` with the hosts this server allows."""
        return check_url(url, field, self.allowed_hosts, whole=whole)

    def embed(self, base_url: str | None) -> None:
        """The embedded model's address, which only `request(embedded=True)` may use."""
        self.embedded_url = URL(base_url).origin() if base_url else None

    def collect(self, url: str | None) -> None:
        """The collector's address, which only `request(collector=True)` may use."""
        self.collector_url = URL(url).origin() if url else None

    async def request(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        limits: aiohttp.ClientTimeout,
        data: bytes | None = None,
        embedded: bool = False,
        collector: bool = False,
    ) -> aiohttp.ClientResponse:
        """The head of the answer. Raises UpstreamFailed for a refused host or port, else
        aiohttp's errors.

        The caller closes or reads the response to its end.
        """
        session = self._session_for(url, embedded, collector)
        try:
            return await session.request(
                method, url, headers=headers, data=data, timeout=limits, allow_redirects=False
            )
        except aiohttp.InvalidURL:
            pass
        except aiohttp.ClientConnectorError as error:
            if not isinstance(error.os_error, AddressRefused):
                raise
        raise UpstreamFailed("host_refused", host=shown(url))

    def _session_for(self, url: URL, embedded: bool, collector: bool) -> aiohttp.ClientSession:
        """By identity: the embedded model's or the collector's own origin, or what an
        administrator named. An address may have been stored before it was refused, so it is held
        to what is refused today.
        """
        if (embedded and url.origin() != self.embedded_url) or (
            collector and url.origin() != self.collector_url
        ):
            raise UpstreamFailed("host_refused", host=shown(url))
        open_to_all = embedded or collector or (url.raw_host or "", url.port) in self.allowed_hosts
        refusal = None if open_to_all else refused_because(url, self.allowed_hosts)
        if refusal is not None:
            raise UpstreamFailed(refusal, host=shown(url), port=url.port)
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
