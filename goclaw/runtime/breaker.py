"""Leaves a vendor that keeps failing alone for a while, so that calls fail at once instead of
waiting for it.
"""

import math
from collections import deque
from time import monotonic

from goclaw.core.errors import Unavailable
from goclaw.core.provider_settings import ProviderSettings
from goclaw.models.providers import BreakerState, ProviderHealth


class Breaker:
    """Of one provider in one worker. Whoever `enter`s tells with one of the other three how it
    went: `succeed` also where the vendor refused, as a vendor that refuses is alive.
    """

    def __init__(self, name: str, settings: ProviderSettings) -> None:
        self.times_opened = 0
        self._last_error: str | None = None
        self._name = name
        self._limit = settings.breaker_failures
        self._window_s = settings.breaker_window_s
        self._open_s = settings.breaker_open_s
        self._failures: deque[float] = deque()
        self._answers = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if monotonic() >= self._open_until else BreakerState.OPEN

    def health(self) -> ProviderHealth:
        self._forget(monotonic())
        return ProviderHealth(
            state=self.state,
            failures=len(self._failures),
            times_opened=self.times_opened,
            last_error=self._last_error,
            retry_after_s=self.retry_after_s,
        )

    @property
    def retry_after_s(self) -> int | None:
        """When a call is let through again, None if now."""
        if self._open_until is None:
            return None
        return max(0, math.ceil(self._open_until - monotonic())) or None

    def enter(self) -> None:
        """Raises Unavailable while the breaker is open, or half open with a call under way."""
        if self._open_until is None:
            return
        left_s = self._open_until - monotonic()
        if left_s > 0 or self._probing:
            wait_s = max(1, math.ceil(left_s))
            raise Unavailable("provider_unavailable", provider=self._name, retry_after_s=wait_s)
        self._probing = True

    def succeed(self) -> None:
        if self._open_until is not None:
            self._close()
        elif self._failures:
            self._answers += 1

    def fail(self, code: str) -> None:
        now = monotonic()
        self._last_error = code
        self._forget(now)
        self._failures.append(now)
        if self._probing or (self._open_until is None and self._are_many()):
            self._open(now)

    def leave(self) -> None:
        """Nobody knows how it went: the call was given up."""
        self._probing = False

    def _are_many(self) -> bool:
        return self._limit > 0 and len(self._failures) >= max(self._limit, self._answers)

    def _open(self, now: float) -> None:
        self.times_opened += 1
        self._probing = False
        self._open_until = now + self._open_s

    def _close(self) -> None:
        self._probing = False
        self._open_until = None
        self._failures.clear()
        self._answers = 0

    def _forget(self, now: float) -> None:
        while self._failures and self._failures[0] <= now - self._window_s:
            self._failures.popleft()
        if not self._failures:
            self._answers = 0
