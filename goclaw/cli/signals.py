"""Waiting for signals without threads and without an event loop."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Final, Self

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignals:
    """Counts the requests to stop; `wait` returns early on these and on a child's end."""

    def __init__(self) -> None:
        self.count = 0
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def wait(self, timeout_s: float) -> None:
        if select.select((self._reader,), (), (), timeout_s)[0]:
            os.read(self._reader, 512)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def _ignore(self, number: int, frame: FrameType | None) -> None:
        """Only wakes `wait`."""

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._stop) for number in STOP_SIGNALS}
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._ignore)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)
