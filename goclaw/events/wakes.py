"""Telling other workers that the log has grown: seldom, and only while somebody may watch."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from goclaw.events.counters import Counters

SPACING_S: Final = 0.02
TRUST_S: Final = 30.0
ANNOUNCE_S: Final = 10.0


class Wakes:
    """Wakes of one loop tick, and of the 20 ms after, are one message.

    A worker with subscriptions announces that again and again. While none was heard for
    longer than `TRUST_S`, nothing is sent: a publish costs as much as a small query, and
    whoever was not heard finds new events by polling.
    """

    def __init__(self, post: Callable[[dict[str, Any]], None], counters: Counters) -> None:
        self._post = post
        self._counters = counters
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at = 0.0
        self._announced_at = 0.0
        self._watched_until = 0.0

    def assume_watched(self) -> None:
        """At the start, after a gap, and on every announcement."""
        self._watched_until = now_s() + TRUST_S

    def send(self) -> None:
        if self._timer is None and self._watched_until > now_s():
            self._timer = asyncio.get_running_loop().call_at(self._sent_at + SPACING_S, self.flush)

    def flush(self) -> None:
        """Sends at once what waits, if anything does."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._sent_at = now_s()
            self._counters.wakes_sent += 1
            self._post({})

    def announce(self, first: bool) -> None:
        """That subscriptions are open here; after the first time only when it is due again."""
        if first or self._announced_at + ANNOUNCE_S <= now_s():
            self._announced_at = now_s()
            self._post({"watching": True})


def now_s() -> float:
    return asyncio.get_running_loop().time()
