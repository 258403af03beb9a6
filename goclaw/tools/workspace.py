"""A folder of files for one agent and user, which no path leads out of.

A path is walked folder by folder from an open one, and never through a link: between the check
and the use of a name nobody can put something else in its place.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import Final
from uuid import UUID

from goclaw.tools.paths import INTERNAL, PathRefused, is_internal, parts_of
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.tool import ToolContext

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINK: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})
READABLE_CHARS: Final = 40
"""Of a user's id, in the name of a folder; its hash tells users apart."""


class FileRefused(Unreadable):
    """A file that is not there, not ours to touch, or over a limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one workspace."""

    write_bytes: int = 10 << 20
    document_bytes: int = 20 << 20
    files: int = 2_000
    total_bytes: int = 200 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """`path` is relative to the workspace; `size_bytes` None is a folder."""

    path: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    files: int = 0
    total_bytes: int = 0


class Workspace:
    """Every method blocks, and raises PathRefused and FileRefused."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.limits = limits

    def read(self, path: str, limit_bytes: int) -> bytes:
        """The whole file. Larger ones are refused."""
        with self._file(path) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > limit_bytes:
                raise FileRefused(f"{path} has {size} bytes; the limit is {limit_bytes}")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise FileRefused(f"{path} is growing, and has more than {limit_bytes} bytes by now")
        return data

    def write(self, path: str, data: bytes) -> None:
        """Whole or not at all: readers see the old file or the new one."""
        with self._locked() as root, self._parent(path, create=True) as (folder, name):
            self._replace(root, folder, name, path, data)

    def edit(self, path: str, old: str, new: str, *, every: bool) -> int:
        """How often `old` was replaced. Nobody else writes in between."""
        with self._locked() as root:
            text = _text(self.read(path, self.limits.write_bytes), path)
            count = occurrences(text, old, path, every=every)
            grown = len(text.encode()) + count * (len(new.encode()) - len(old.encode()))
            self._check_size(path, grown)
            with self._parent(path, create=False) as (folder, name):
                self._replace(root, folder, name, path, text.replace(old, new).encode())
            return count

    def entries(self, path: str, most: int) -> tuple[list[Entry], bool]:
        """What lies below a folder, by path; whether that is all. Links are left out."""
        parts = parts_of(path)
        with self._folder(parts) as descriptor:
            found: list[Entry] = []
            for entry in _walk(descriptor, "/".join(parts)):
                if len(found) == most:
                    return found, False
                found.append(entry)
        return found, True

    def usage(self) -> Usage:
        files = total = 0
        with self._folder(()) as descriptor:
            for entry in _walk(descriptor, ""):
                files += 1
                total += entry.size_bytes or 0
        return Usage(files, total)

    def _replace(self, root: int, folder: int, name: str, path: str, data: bytes) -> None:
        """The name is given another file: what it meant so far is not written through."""
        self._check_size(path, len(data))
        old = _look(folder, name)
        if old is not None:
            _refuse_odd(old, path)
        self._check_room(path, old, len(data))
        temporary = f"{INTERNAL}-{token_hex(8)}"
        descriptor = os.open(temporary, _NEW, FILE_MODE, dir_fd=root)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, name, src_dir_fd=root, dst_dir_fd=folder)
        except BaseException:
            _sweep(root)
            raise

    def _check_size(self, path: str, size_bytes: int) -> None:
        if size_bytes > self.limits.write_bytes:
            raise FileRefused(
                f"{path} would have {size_bytes} bytes; the limit is {self.limits.write_bytes}"
            )

    def _check_room(self, path: str, old: os.stat_result | None, size_bytes: int) -> None:
        used = self.usage()
        if old is None and used.files >= self.limits.files:
            raise FileRefused(f"the workspace holds {self.limits.files} files and folders already")
        total = used.total_bytes - (0 if old is None else old.st_size) + size_bytes
        if total > self.limits.total_bytes:
            raise FileRefused(
                f"with {path} the workspace would hold {total} bytes; "
                f"the limit is {self.limits.total_bytes}"
            )

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """One writer at a time, also among the processes that share the folder. What one that
        died left behind goes.
        """
        with self._root() as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _sweep(descriptor)
            yield descriptor

    @contextmanager
    def _file(self, path: str) -> Iterator[int]:
        """An open regular file. What it is is looked at before it is opened, as opening a device
        does something, and again once nobody can exchange it.
        """
        with self._parent(path, create=False) as (folder, name):
            before = _look(folder, name)
            if before is None:
                raise FileRefused(f"there is no file {path}")
            _refuse_odd(before, path)
            descriptor = _opened(name, _READ, folder, path)
            try:
                _refuse_odd(os.fstat(descriptor), path)
                yield descriptor
            finally:
                os.close(descriptor)

    @contextmanager
    def _parent(self, path: str, *, create: bool) -> Iterator[tuple[int, str]]:
        parts = parts_of(path)
        if not parts:
            raise PathRefused("name a file, not the workspace's folder itself")
        with self._folder(parts[:-1], create=create) as folder:
            yield folder, parts[-1]

    @contextmanager
    def _folder(self, parts: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
        with self._root() as root:
            descriptor = os.dup(root)
            try:
                for place, part in enumerate(parts, start=1):
                    shown = "/".join(parts[:place])
                    if create:
                        self._make(part, descriptor, shown)
                    inner = _opened(part, _FOLDER, descriptor, shown)
                    os.close(descriptor)
                    descriptor = inner
                yield descriptor
            finally:
                os.close(descriptor)

    def _make(self, part: str, folder: int, shown: str) -> None:
        if _look(folder, part) is not None:
            return
        if self.usage().files >= self.limits.files:
            raise FileRefused(f"the workspace holds {self.limits.files} files and folders already")
        with suppress(FileExistsError):
            os.mkdir(part, FOLDER_MODE, dir_fd=folder)

    @contextmanager
    def _root(self) -> Iterator[int]:
        self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(self.folder, _FOLDER)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _opened(name: str, flags: int, folder: int, shown: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise FileRefused(f"there is no {shown}") from None
    except OSError as error:
        if error.errno in _LINK:
            raise FileRefused(f"{shown} is a link or no folder, and is not followed") from None
        raise FileRefused(f"{shown} cannot be opened: {os.strerror(error.errno or 0)}") from None


def _look(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _refuse_odd(found: os.stat_result, path: str) -> None:
    """Links of both kinds lead to files elsewhere; reading a device or a pipe does something."""
    if stat.S_ISDIR(found.st_mode):
        raise FileRefused(f"{path} is a folder")
    if stat.S_ISLNK(found.st_mode):
        raise FileRefused(f"{path} is a link, and is not followed")
    if not stat.S_ISREG(found.st_mode):
        raise FileRefused(f"{path} is no file but a device, a pipe or a socket")
    if found.st_nlink > 1:
        raise FileRefused(f"{path} has a second name elsewhere (a hard link), and is left alone")


def _sweep(root: int) -> None:
    """Removes unfinished files. Only while the workspace is locked, so that they are nobody's."""
    with os.scandir(root) as scan:
        unfinished = [entry.name for entry in scan if entry.name.startswith(f"{INTERNAL}-")]
    for name in unfinished:
        with suppress(OSError):
            os.unlink(name, dir_fd=root)


def _walk(descriptor: int, above: str) -> Iterator[Entry]:
    """Files and folders, each folder before what is in it; neither links nor internal files."""
    with os.scandir(descriptor) as scan:
        inside = sorted(scan, key=lambda entry: entry.name)
    for entry in inside:
        if is_internal(entry.name):
            continue
        path = f"{above}/{entry.name}" if above else entry.name
        if entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):
                yield Entry(path, entry.stat(follow_symlinks=False).st_size)
        elif entry.is_dir(follow_symlinks=False):
            yield Entry(path, None)
            yield from _walk_into(descriptor, entry.name, path)


def _walk_into(descriptor: int, name: str, path: str) -> Iterator[Entry]:
    try:
        inner = os.open(name, _FOLDER, dir_fd=descriptor)
    except OSError:
        return  # gone, or exchanged for a link meanwhile
    try:
        yield from _walk(inner, path)
    finally:
        os.close(inner)


def occurrences(text: str, old: str, path: str, *, every: bool) -> int:
    """Raises FileRefused when there is none, and for several that are not all meant."""
    count = text.count(old)
    if count == 0:
        raise FileRefused(f"old_string does not occur in {path}; nothing was changed")
    if count > 1 and not every:
        raise FileRefused(
            f"old_string occurs {count} times in {path}; give more of what stands around "
            "it, or set replace_all; nothing was changed"
        )
    return count


def _text(data: bytes, path: str) -> str:
    with suppress(UnicodeDecodeError):
        text = data.decode()
        if "\x00" not in text:
            return text
    raise FileRefused(f"{path} is no text in UTF-8")


class Workspaces:
    """All of them, below one folder: a folder for each agent, in it one for each user."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self._folder = folder
        self._limits = limits or Limits()

    def of(self, ctx: ToolContext) -> Workspace:
        return self.workspace(ctx.agent_id, ctx.user_id)

    def workspace(self, agent_id: UUID, user_id: str) -> Workspace:
        return Workspace(self._folder / str(agent_id) / folder_of(user_id), self._limits)

    def forget(self, user_id: str) -> None:
        """Removes what a user has with any agent. Blocks; raises OSError for what stays."""
        name = folder_of(user_id)
        with suppress(FileNotFoundError):
            for agent in list(self._folder.iterdir()):
                if (agent / name).is_dir():
                    rmtree(agent / name)

    def is_usable(self) -> bool:
        """Whether files can be written there at all."""
        try:
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError:
            return False
        return os.access(self._folder, os.W_OK | os.X_OK)


def folder_of(user_id: str) -> str:
    """Another one for every id, fit for every file system: letters to read, and a hash."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in user_id.lower())
    digest = sha256(user_id.encode(errors="surrogatepass")).hexdigest()
    return f"{letters[:READABLE_CHARS]}-{digest[:32]}"
