"""Python processes that the parent starts early and gives their orders to later.

They import what they need while the database starts, then wait for a pickled `Host` on
stdin. The pipe stays open: its end tells them that the parent is gone.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence

from goclaw.cli.orders import send
from goclaw.core.host import Host
from goclaw.embedded.process import Backoff, end


class Child:
    """`module` is run with `arguments`; `keep_fds` stay open in it."""

    def __init__(self, module: str, *arguments: str, keep_fds: Sequence[int] = ()) -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._keep_fds = keep_fds
        self._backoff = Backoff()
        self._process = self._spawn()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def order(self, host: Host) -> None:
        pipe = self._process.stdin
        if pipe is None or self.status is not None:
            return
        try:
            send(pipe, host)
        except BrokenPipeError:
            self._process.wait(5)

    def may_restart(self) -> bool:
        return self.status is not None and self._backoff.due()

    def restart(self, host: Host) -> None:
        self._process = self._spawn()
        self.order(host)

    def ask_to_stop(self) -> None:
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        end(self._process, (signal.SIGKILL, 5))

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._backoff.started()
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            pass_fds=self._keep_fds,
            start_new_session=True,
        )
