"""The account the embedded database runs under: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from goclaw.core.errors import Unavailable

ACCOUNT_NAME: Final = "goclaw-db"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int


def database_account(folder: Path) -> Account | None:
    """None for an ordinary user, who runs the database as themselves.

    A folder that belongs to somebody already keeps its owner, as a volume does when the
    container around it is a new one. Raises Unavailable where no account can be made.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        entry = _add_account()
    return Account(entry.pw_uid, entry.pw_gid)


def let_through(paths: Iterable[Path]) -> None:
    """Let other accounts pass through the folders above these, without listing them."""
    for parent in {parent for path in paths for parent in path.parents}:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            log.info("folder opened for passage", folder=str(parent), account=ACCOUNT_NAME)


def _add_account() -> pwd.struct_passwd:
    command = ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin")
    try:
        subprocess.run((*command, ACCOUNT_NAME), check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"cannot add the account {ACCOUNT_NAME}: {_why(error)}"
        raise Unavailable("embedded_database_failed", reason=reason) from error
    return pwd.getpwnam(ACCOUNT_NAME)


def _why(error: OSError | subprocess.CalledProcessError) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return str(error.stderr).strip()
    return str(error)
