"""A process with all it started, any of which may end while one looks at it: a backend of
PostgreSQL ends when it likes."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psutil


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def gone(pid: int) -> bool:
    try:
        return all_gone([psutil.Process(pid)])
    except psutil.NoSuchProcess:
        return True


def all_gone(processes: Iterable[psutil.Process]) -> bool:
    """An ended process whose parent has not heard of it yet is gone."""
    return not any(_lives(process) for process in processes)


def send_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def names(processes: Iterable[psutil.Process]) -> Iterator[str]:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            yield process.name()


def words(processes: Iterable[psutil.Process]) -> Iterator[str]:
    """What others may read of them: command lines, and values of environment variables."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            yield from (*process.cmdline(), *process.environ().values())


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
