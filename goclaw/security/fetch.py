"""Reading one page, wherever it has moved to, within limits of size and time."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from goclaw.core.errors import InvalidInput, UpstreamFailed, UpstreamTimeout
from goclaw.security.outbound import OutboundClient, check_url, shown

_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_SAME_METHOD: Final = frozenset({307, 308})
_CONTENT_HEADERS: Final = ("Content-Type", "Content-Encoding", "Content-Language")
# What another origin may learn about us. A list of what it may not would miss somebody's own.
_HARMLESS_HEADERS: Final = ("Accept", "Accept-Encoding", "Accept-Language", "Range", "User-Agent")


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """`total_s` is for everything: names, connections, redirects, body. `body_bytes` counts the
    body as it is after unpacking, so that a small body cannot grow large here.
    """

    total_s: float = 30
    connect_s: float = 10
    body_bytes: int = 2 << 20
    redirects: int = 3


DEFAULT_LIMITS: Final = FetchLimits()


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` is where the answer came from in the end. `is_whole`: the body was not cut."""

    url: URL
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request of the chain."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    data: bytes | None = None

    def follow(self, status: int, location: str, outbound: OutboundClient) -> Self:
        """The next one, as browsers go on (Fetch standard, 4.4). Raises UpstreamFailed."""
        url = self._target(location, outbound)
        method, data, headers = self.method, self.data, self.headers.copy()
        if status not in _SAME_METHOD and method != "HEAD":
            method, data = "GET", None
            _drop(headers, _CONTENT_HEADERS)
        if url.origin() != self.url.origin():
            if data is not None:
                raise self._refused("a body is not sent on to another origin")
            headers = _kept(headers, _HARMLESS_HEADERS)
        return type(self)(method, url, headers, data)

    def _target(self, location: str, outbound: OutboundClient) -> URL:
        try:
            joined = str(self.url.join(URL(location)))
            url = check_url(joined, "location", outbound.allowed_hosts, whole=True)
        except InvalidInput as error:
            raise UpstreamFailed(
                "redirect_refused", host=shown(self.url), reason=str(error)
            ) from None
        except ValueError:
            raise self._refused("the new address is not a URL") from None
        if self.url.scheme == "https" and url.scheme == "http":
            raise self._refused("it leads from https to http")
        return url

    def _refused(self, reason: str) -> UpstreamFailed:
        return UpstreamFailed("redirect_refused", host=shown(self.url), reason=reason)


async def fetch(
    outbound: OutboundClient,
    method: str,
    url: URL,
    *,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    limits: FetchLimits = DEFAULT_LIMITS,
    cut: bool = False,
) -> Fetched:
    """The answer of any status, after at most `limits.redirects` hops, each checked like the
    first. Credentials go to the first origin alone; nothing is followed from https to http.

    `url` comes from `check_url(..., whole=True)`. With `cut` the body ends at its limit, else
    one beyond it is refused. Raises UpstreamFailed and UpstreamTimeout.
    """
    hop = _Hop(method, url, CIMultiDict(headers or {}), data)
    try:
        async with asyncio.timeout(limits.total_s):
            return await _follow(outbound, hop, limits, cut=cut)
    except TimeoutError:
        failure: UpstreamFailed | UpstreamTimeout = UpstreamTimeout(
            "fetch_timeout", host=shown(url), timeout_s=f"{limits.total_s:g}"
        )
    except (aiohttp.ClientError, ConnectionError) as error:
        failure = UpstreamFailed("fetch_failed", host=shown(url), reason=_reason(error))
    raise failure  # outside `except`: those below have the request's headers in them


async def _follow(
    outbound: OutboundClient, hop: _Hop, limits: FetchLimits, *, cut: bool
) -> Fetched:
    left = limits.redirects
    while True:
        response = await outbound.request(
            hop.method,
            hop.url,
            headers=hop.headers,
            data=hop.data,
            limits=_aiohttp_limits(limits.connect_s),
        )
        try:
            location = response.headers.get("Location")
            if response.status not in _MOVED or location is None:
                body, is_whole = await _body(response, limits.body_bytes, cut=cut)
                return Fetched(hop.url, response.status, response.headers, body, is_whole)
        finally:
            response.close()
        if left == 0:
            reason = f"it is more than the {limits.redirects} that are followed"
            raise UpstreamFailed("redirect_refused", host=shown(hop.url), reason=reason)
        left -= 1
        hop = hop.follow(response.status, location, outbound)


@lru_cache(maxsize=64)
def _aiohttp_limits(connect_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect_s)


async def _body(
    response: aiohttp.ClientResponse, limit_bytes: int, *, cut: bool
) -> tuple[bytes, bool]:
    """What is unpacked is never more than a chunk ahead of what is counted here."""
    body = bytearray()
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > limit_bytes:
            if cut:
                return bytes(body[:limit_bytes]), False
            raise UpstreamFailed("upstream_too_large", limit_bytes=limit_bytes)
    return bytes(body), True


def _drop(headers: CIMultiDict[str], names: Iterable[str]) -> None:
    for name in names:
        headers.popall(name, None)


def _kept(headers: CIMultiDict[str], names: Iterable[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name in names for value in headers.getall(name, ()))


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name cannot be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorError():
            return "no connection"
        case aiohttp.ClientPayloadError():
            return "its answer is cut or badly packed"
        case aiohttp.ClientResponseError():
            return "its answer is not HTTP"
    return "the connection was closed without an answer"
