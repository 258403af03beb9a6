"""The keys of the embedded set-up, in the data folder and readable by their owner alone."""

import fcntl
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Final

from goclaw.security.keys import KEY_BYTES, Key, UnusableKey, parse_key

KEY_FILE: Final = "encryption.key"
MODE: Final = 0o600

Stamp = tuple[int, int, int]
"""What differs between one content of the file and the next."""


def new_key() -> Key:
    return Key(os.urandom(KEY_BYTES))


class KeyFile:
    """One key a line: the first writes, all read. Whoever reads it sees one content or the
    next, never a part; whoever changes it waits for others who do.

    Its methods raise UnusableKey, which names the file.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / KEY_FILE

    def stamp(self) -> Stamp | None:
        """None where there is no file."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def age_s(self) -> float:
        """Since it last changed; 0 where there is no file."""
        stamp = self.stamp()
        return 0 if stamp is None else max(0.0, time() - stamp[1] / 1e9)

    def read(self) -> list[Key]:
        """Empty where there is no file; a file without a key is refused."""
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from error
        keys = [parse_key(line.strip(), str(self.path)) for line in text.splitlines() if line]
        if not keys:
            raise UnusableKey(f"{self.path}: the file is empty")
        return keys

    def make(self) -> None:
        """With a first key; no effect where there is one."""
        with self._alone():
            if not self.read():
                self._replace([new_key()])

    def add(self, key: Key) -> None:
        """The key that writes from now on; those so far go on reading."""
        with self._alone():
            self._replace([key, *(known for known in self.read() if known != key)])

    def forget(self, ids: Collection[str]) -> None:
        """Never the key that writes."""
        with self._alone():
            current, *older = self.read()
            self._replace([current, *(key for key in older if key.id not in ids)])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The kernel lets go of the lock when the process dies."""
        try:
            fd = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
            os.fsync(fd)
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            os.close(fd)

    def _replace(self, keys: Sequence[Key]) -> None:
        new = self.path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, MODE)
        with os.fdopen(fd, "w") as file:
            os.fchmod(fd, MODE)
            self._keep_owner(fd)
            file.writelines(f"{key.raw.hex()}\n" for key in keys)
            file.flush()
            os.fsync(fd)
        new.replace(self.path)

    def _keep_owner(self, fd: int) -> None:
        """A file that root has changed must stay one that the server can read."""
        if self.path.exists() and os.geteuid() == 0:
            owner = self.path.stat()
            os.fchown(fd, owner.st_uid, owner.st_gid)

    def _unusable(self, error: Exception) -> UnusableKey:
        reason = error.strerror if isinstance(error, OSError) else "not a text of keys"
        return UnusableKey(f"{self.path}: {reason or error}")
