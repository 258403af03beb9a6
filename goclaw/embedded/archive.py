"""A backup is one file: a zip with what it is of, the database as pg_dump writes it, and, only
when that was asked for, the encryption keys.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from goclaw.core.errors import Conflict, InvalidInput

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
KEY: Final = "encryption.key"
MAX_MANIFEST_BYTES: Final = 64 * 1024
MAX_KEY_BYTES: Final = 64 * 1024


class Manifest(BaseModel):
    """`key_ids` are the encryption keys that the secrets in it were stored with; `unnamed_key`
    says that some are in the format of older servers, which names no key. `postgres` is the
    major version that dumped it.
    """

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, ge=1)
    program: str
    made_at: datetime
    schema_version: str
    postgres: int
    key_ids: tuple[str, ...]
    unnamed_key: bool = False
    holds_key: bool


def write_archive(
    path: Path, manifest: Manifest, dump: Callable[[IO[bytes]], None], key: str | None
) -> None:
    """`key` are the keys, one a line. `dump` writes the database. The file is its owner's alone,
    and whole or not there.

    Raises Conflict when there is a file already, OSError when it cannot be written.
    """
    if path.exists():
        raise Conflict("backup_exists", path=path)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        try:
            with ZipFile(draft, "w") as archive:
                archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))
                if key is not None:
                    archive.writestr(KEY, key)
                with archive.open(DUMP, "w", force_zip64=True) as member:
                    dump(member)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).rename(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


class Archive:
    """A backup that is being read."""

    def __init__(self, archive: ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        self.manifest = self._manifest()

    @property
    def key(self) -> str | None:
        """Its keys, one a line. Raises InvalidInput when they are damaged."""
        try:
            return self._read(KEY, MAX_KEY_BYTES).decode() if self.manifest.holds_key else None
        except UnicodeDecodeError as error:
            raise self._damaged() from error

    def copy_dump(self, out: IO[bytes]) -> None:
        """Raises InvalidInput when the file is damaged, which shows at its end at the latest."""
        try:
            with self._archive.open(DUMP) as member:
                shutil.copyfileobj(member, out, 1024 * 1024)
        except (BadZipFile, EOFError, KeyError) as error:
            raise self._damaged() from error

    def _manifest(self) -> Manifest:
        try:
            manifest = Manifest.model_validate_json(self._read(MANIFEST, MAX_MANIFEST_BYTES))
        except ValidationError as error:
            raise self._damaged() from error
        if manifest.format > FORMAT:
            raise Conflict("backup_newer", version=f"format {manifest.format}", known=FORMAT)
        return manifest

    def _read(self, name: str, limit_bytes: int) -> bytes:
        try:
            with self._archive.open(name) as member:
                return member.read(limit_bytes)
        except (BadZipFile, EOFError, KeyError) as error:
            raise self._damaged() from error

    def _damaged(self) -> InvalidInput:
        return InvalidInput("backup_unreadable", path=self._path)


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """Raises InvalidInput for a file that is no backup, Conflict for one of a later program,
    OSError when it cannot be read.
    """
    try:
        archive = ZipFile(path)
    except BadZipFile as error:
        raise InvalidInput("backup_unreadable", path=path) from error
    with archive:
        yield Archive(archive, path)
