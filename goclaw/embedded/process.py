"""Child processes that do not outlive the server."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import IO, Final

from goclaw.embedded.account import Account

PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal a process gets when its parent dies, whatever of."""

FIRST_RETRY_S: Final = 0.5
LAST_RETRY_S: Final = 30.0

_libc = ctypes.CDLL(None)


def spawn(
    command: Sequence[str],
    *,
    output: IO[bytes] | None = None,
    stdin: int = subprocess.DEVNULL,
    account: Account | None = None,
    signal_when_orphaned: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches the server alone.

    Without `output` it writes where we do.
    `signal_when_orphaned` works on Linux; call from the main thread, as the kernel
    counts the end of the starting thread as the end of the parent.
    """
    on_linux = sys.platform == "linux"
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        # Safe here: the parent has no threads. The kernel forgets the request when the
        # user changes, so it has to come after that, which nothing but preexec_fn does.
        preexec_fn=(  # noqa: PLW1509
            _orphan_signal(signal_when_orphaned) if signal_when_orphaned and on_linux else None
        ),
    )


def end(child: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send one signal after another, each with the seconds it may take, until the child ends."""
    for sent, wait_s in steps:
        if child.poll() is not None:
            return
        child.send_signal(sent)
        try:
            child.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue


class Backoff:
    """When to start a child again that keeps dying: at once, then ever more rarely.

    A child that lived for a minute starts with a clean record.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._delay_s = 0.0
        self._started_at = clock()
        self._next_at: float | None = None

    def started(self) -> None:
        self._started_at = self._clock()
        self._next_at = None

    def due(self) -> bool:
        """Ask while the child is dead; true when its time has come."""
        now = self._clock()
        if self._next_at is None:
            if now - self._started_at > 60:
                self._delay_s = 0.0
            self._next_at = now + self._delay_s
            self._delay_s = min(max(2 * self._delay_s, FIRST_RETRY_S), LAST_RETRY_S)
        return now >= self._next_at


def _orphan_signal(number: signal.Signals) -> Callable[[], None]:
    def ask_kernel() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number))

    return ask_kernel
