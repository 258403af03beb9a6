"""The OpenTelemetry collector that finished traces are posted to."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import aiohttp
from yarl import URL

from goclaw.core.errors import UpstreamFailed
from goclaw.providers.failures import retry_after_s
from goclaw.security.outbound import OutboundClient, read_limited

MAX_ANSWER_BYTES: Final = 64 << 10
LIMITS: Final = aiohttp.ClientTimeout(total=10, connect=5)
BUSY: Final = frozenset({429, 502, 503, 504})
"""After these the same body may be taken later; after other errors it will not (OTLP 1.9)."""


class NotNow(Exception):
    """The same body may be taken later: in `wait_s`, if the collector said so."""

    def __init__(self, reason: str, wait_s: int | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Never(Exception):
    """The collector does not take this body."""


class Collector:
    """Follows no redirect, as its headers hold a key."""

    def __init__(self, outbound: OutboundClient, url: str, headers: Mapping[str, str]) -> None:
        self._outbound = outbound
        self._url = URL(url)
        self._headers = dict(headers)

    async def post(self, body: bytes, media_type: str) -> bytes:
        """What it answers. Raises NotNow and Never, which quote nothing it said."""
        headers = self._headers | {"Content-Type": media_type}
        try:
            response = await self._outbound.request(
                "POST", self._url, headers=headers, limits=LIMITS, data=body, collector=True
            )
            async with response:
                return await _answer(response)
        except UpstreamFailed as error:
            failure: Exception = Never(error.code)
        except (aiohttp.ClientError, OSError) as error:
            failure = NotNow(type(error).__name__)
        raise failure  # outside `except`: the one below has the request's headers in it


async def _answer(response: aiohttp.ClientResponse) -> bytes:
    if response.status in BUSY:
        raise NotNow(f"status {response.status}", retry_after_s(response.headers))
    if not response.ok or response.status >= 300:
        raise Never(f"status {response.status}")
    with suppress(UpstreamFailed):  # it took the body, whatever it says at such length
        return await read_limited(response, MAX_ANSWER_BYTES)
    return b""
