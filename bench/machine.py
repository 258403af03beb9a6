"""Which core a process runs on, what it has used."""

import os
import platform
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import psutil

LINUX: Final = platform.system() == "Linux"


def cores() -> tuple[int, int] | None:
    """One core for the server under test, one for everything else; None with a single core."""
    if not LINUX:
        return None
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else None


CORES = cores()


def pin_beside() -> None:
    """This process, and all that it starts from now on, leave the first core free."""
    if CORES is not None:
        os.sched_setaffinity(0, {CORES[1]})


def pin_under_test(pid: int) -> None:
    """All threads of a process to the core that is kept for it."""
    if CORES is None:
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {CORES[0]})


def cpu_s(pid: int) -> float:
    """User and system time of a process, its ended threads included."""
    if LINUX:
        return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) does
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def rss_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


@contextmanager
def on_cores(chosen: Collection[int]) -> Iterator[None]:
    """This process, and what it starts meanwhile, elsewhere for a while."""
    if CORES is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def under_test() -> AbstractContextManager[None]:
    """This process does itself what is measured."""
    return on_cores(CORES[:1] if CORES else ())


def as_users_start_it() -> AbstractContextManager[None]:
    """On all cores."""
    return on_cores(CORES or ())
