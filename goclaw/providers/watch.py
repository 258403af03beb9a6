"""The limits of a stream while it is read, with one timer instead of one for each chunk."""

import asyncio
import math
from typing import Final

import aiohttp

_LINGER_S: Final = 1.0


class Watch:
    """Closes the response when a read or the whole takes too long.

    Only time spent waiting for the vendor counts as a pause: a slow reader of ours does not.
    """

    __slots__ = (
        "_between_s",
        "_content",
        "_end",
        "_loop",
        "_response",
        "_since",
        "_timer",
        "_total_s",
        "passed_s",
    )

    def __init__(self, response: aiohttp.ClientResponse, between_s: float, total_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._content = response.content
        self._between_s = between_s
        self._total_s = total_s
        self._end = self._loop.time() + total_s
        self._since = math.inf
        self.passed_s: float | None = None
        """The limit that was passed, once one was."""
        _stop_own_timeout(response)
        self._timer = self._loop.call_later(min(between_s, total_s), self._look)

    async def read(self) -> bytes:
        """The next bytes as they come, empty at the end."""
        self._since = self._loop.time()
        chunk = await self._content.readany()
        self._since = math.inf
        return chunk

    def _look(self) -> None:
        now = self._loop.time()
        silent_until = min(self._since, now) + self._between_s
        if now >= self._end:
            self._pass(self._total_s)
        elif now >= silent_until:
            self._pass(self._between_s)
        else:
            self._timer = self._loop.call_at(min(silent_until, self._end), self._look)

    def _pass(self, limit_s: float) -> None:
        self.passed_s = limit_s
        self._response.close()

    def leave(self, *, clean: bool) -> None:
        """After a clean end the last bytes may be under way: waiting saves the connection."""
        self._timer.cancel()
        if clean and not self._response.closed:
            self._loop.call_later(_LINGER_S, self._response.close)
        else:
            self._response.close()


def _stop_own_timeout(response: aiohttp.ClientResponse) -> None:
    """The client's limit of the head would start a timer for each chunk from now on."""
    protocol = response.connection.protocol if response.connection is not None else None
    if protocol is not None:
        protocol.read_timeout = None
        protocol.start_timeout()
