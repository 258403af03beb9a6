"""A clock for what must not last too long."""

import time
from functools import partial
from typing import Final

CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

clock_s: Final = partial(time.clock_gettime, CLOCK)
"""Seconds since some moment. Nobody can set it, and it goes on while the machine sleeps."""
