"""A clock for what must not last too long."""

import time
from typing import Final

CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock_s() -> float:
    """Seconds since some moment. Nobody can set it, and it goes on while the machine sleeps."""
    return time.clock_gettime(CLOCK)
