"""PostgreSQL's own tools for taking a database out and putting it in again."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Final
from urllib.parse import urlsplit

from goclaw.core.errors import Unavailable
from goclaw.embedded.postgres import binaries

LEFT_OUT: Final = "public.events"
"""Positions in the log are transaction ids of the cluster, so they lead nowhere in another one:
without it every cursor of before is told that it has expired.
"""

ENVIRONMENT: Final = {"LC_ALL": "C"}
"""None of the caller's PG* variables."""


def dump_database(dsn: str, snapshot: str, out: IO[bytes]) -> None:
    """What that snapshot sees. Raises Unavailable when it fails."""
    command = (
        str(binaries() / "pg_dump"),
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        "--no-unlogged-table-data",
        f"--exclude-table-data={LEFT_OUT}",
        f"--snapshot={snapshot}",
        f"--dbname={dsn}",
    )
    with TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=ENVIRONMENT,
        )
        with child:
            assert child.stdout is not None
            try:
                shutil.copyfileobj(child.stdout, out, 1024 * 1024)
            except BaseException:
                child.kill()
                raise
        _refuse_failure(child, errors)


def load_database(dsn: str, copy_dump: Callable[[IO[bytes]], None]) -> None:
    """Into an empty database, wholly or not at all. Raises Unavailable when it fails, and what
    `copy_dump` raises.
    """
    command = (
        str(binaries() / "pg_restore"),
        "--exit-on-error",
        "--single-transaction",
        "--no-owner",
        "--no-privileges",
        f"--dbname={dsn}",
    )
    with TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=ENVIRONMENT,
        )
        assert child.stdin is not None
        try:
            # When it has ended early it tells why itself.
            with suppress(BrokenPipeError):
                copy_dump(child.stdin)
                child.stdin.close()
        except BaseException:
            child.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                child.stdin.close()
            child.wait()
        _refuse_failure(child, errors)


def _refuse_failure(child: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
    if child.returncode != 0:
        errors.seek(0)
        said = errors.read(2000).decode(errors="replace").strip().replace("\n", " | ")
        raise Unavailable("backup_failed", reason=said or f"status {child.returncode}")


def beside(dsn: str, name: str) -> str:
    """The address of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()
