"""From one major version of PostgreSQL to the next: the new folder is made beside the old one,
which is kept under another name.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from goclaw.embedded.folder import FolderLock

WORKSHOP: Final = "upgrade"
"""The data folder, within the data folder, in which the new database is made."""


def written_by(data_dir: Path) -> int | None:
    """The major version of the database in the folder; None where there is no database."""
    try:
        return int((data_dir / "postgres" / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def workshop(data_dir: Path) -> Path:
    """An empty one; what an attempt of before left is thrown away."""
    folder = data_dir / WORKSHOP
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def swap(data_dir: Path) -> Path:
    """Puts the database out of the workshop in the place of the old one; tells where that is now.

    Raises Conflict when a server uses the folder.
    """
    folder = data_dir / "postgres"
    kept = data_dir / f"postgres-{written_by(data_dir)}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    with FolderLock(data_dir):
        folder.rename(kept)
        finish_swap(folder)
    shutil.rmtree(data_dir / WORKSHOP, ignore_errors=True)
    return kept


def finish_swap(folder: Path) -> None:
    """Also at the next start, when somebody ended us between the two steps."""
    made = folder.parent / WORKSHOP / "postgres"
    if not folder.exists() and made.exists():
        made.rename(folder)
