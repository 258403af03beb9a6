"""One data folder, one server."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from goclaw.core.errors import Conflict

LOCK_FILE: Final = "goclaw.lock"


class FolderLock:
    """Held as long as the process lives; the kernel lets go of it when the process dies."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._fd: int | None = None

    def acquire(self) -> None:
        """Raises Conflict when another server holds it; no effect when we do."""
        if self._fd is not None:
            return
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.read(fd, 32).decode().strip() or "unknown"
            os.close(fd)
            raise Conflict("data_folder_in_use", pid=pid, folder=self._data_dir) from error
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
