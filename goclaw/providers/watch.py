"""The limits of a stream while it is read: of time, with one timer instead of one for each chunk,
and of size.
"""

import asyncio
import math
from collections.abc import Sequence
from typing import Final

import aiohttp

from goclaw.core.errors import UpstreamFailed
from goclaw.providers.config import BETWEEN, CALL, FIRST, Limit, Timeouts
from goclaw.providers.messages import Delta

_LINGER_S: Final = 1.0


class Watch:
    """Closes the response when the first token, a read after it or the whole takes too long.

    Only time spent waiting for the vendor counts as a pause: a slow reader of ours does not.
    Whatever the vendor sends ends a pause, so that keep-alives do as well.
    """

    __slots__ = (
        "_between_s",
        "_content",
        "_first",
        "_limits",
        "_loop",
        "_response",
        "_since",
        "_timer",
        "_whole",
        "passed",
        "spoken",
    )

    def __init__(self, response: aiohttp.ClientResponse, limits: Timeouts, spent_s: float) -> None:
        """`spent_s` passed before the head had come."""
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._content = response.content
        self._limits = limits
        self._between_s = limits.between_s
        began = self._loop.time() - spent_s
        self._first = began + limits.first_token_s
        self._whole = began + limits.total_s
        self._since = math.inf
        self.spoken = False
        """Whether the first token came."""
        self.passed: Limit | None = None
        """The limit that was passed, once one was."""
        _stop_own_timeout(response)
        self._timer = self._loop.call_at(min(self._first, self._whole), self._look)

    async def read(self) -> bytes:
        """The next bytes as they come, empty at the end."""
        self._since = self._loop.time()
        chunk = await self._content.readany()
        self._since = math.inf
        return chunk

    def speak(self) -> None:
        """The first token is there: from now on pauses count."""
        self.spoken = True
        self._timer.cancel()
        self._look()

    def _look(self) -> None:
        now = self._loop.time()
        limits = self._limits
        due = min(self._since, now) + self._between_s if self.spoken else self._first
        if now >= self._whole:
            self._pass(Limit(CALL, limits.total_s))
        elif now < due:
            self._timer = self._loop.call_at(min(due, self._whole), self._look)
        elif self.spoken:
            self._pass(Limit(BETWEEN, limits.between_s))
        else:
            self._pass(Limit(FIRST, limits.first_token_s))

    def _pass(self, limit: Limit) -> None:
        self.passed = limit
        self._response.close()

    def leave(self, *, clean: bool) -> None:
        """After a clean end the last bytes may be under way: waiting saves the connection."""
        self._timer.cancel()
        if clean and not self._response.closed:
            self._loop.call_later(_LINGER_S, self._response.close)
        else:
            self._response.close()


class Size:
    """How much of a stream has come, and how much it says; each has its limit."""

    __slots__ = ("_received", "_said", "_said_limit", "_sent_limit")

    def __init__(self, said_limit: int, sent_limit: int) -> None:
        """Of what is said in characters, of what is sent in bytes."""
        self._said_limit = said_limit
        self._sent_limit = sent_limit
        self._received = self._said = 0

    def add(self, chunk: bytes, deltas: Sequence[Delta]) -> None:
        """Raises UpstreamFailed beyond a limit."""
        self._received += len(chunk)
        for delta in deltas:
            self._said += len(delta.text) + len(delta.thinking)
            if delta.tool_calls is not None:
                arguments = (call["function"].get("arguments") or "" for call in delta.tool_calls)
                self._said += sum(map(len, arguments))
        if self._said > self._said_limit:
            raise UpstreamFailed("upstream_too_large", limit_bytes=self._said_limit)
        if self._received > self._sent_limit:
            raise UpstreamFailed("upstream_too_large", limit_bytes=self._sent_limit)


def _stop_own_timeout(response: aiohttp.ClientResponse) -> None:
    """The client's limit of the head would start a timer for each chunk from now on."""
    protocol = response.connection.protocol if response.connection is not None else None
    if protocol is not None:
        protocol.read_timeout = None
        protocol.start_timeout()
