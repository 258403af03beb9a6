"""The command line called in this process, with an environment of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from goclaw.cli import session
from goclaw.cli.main import app

Command = Callable[..., Result]
KEY = "k" * 32


async def fetch_rows(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """For a data folder. None of pytest's: every run that starts closes those to other users,
    and as root the database is another user.
    """
    with TemporaryDirectory(prefix="goclaw-cli-") as path:
        yield Path(path) / "data"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Without what the machine has set; logs stay as the tests have them."""
    for name in os.environ:
        if name.startswith("GOCLAW_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOCLAW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(session, "configure_logs", lambda *_: None)
    return monkeypatch


@pytest.fixture
def goclaw(environment: pytest.MonkeyPatch) -> Command:
    """`goclaw("keys", "list")`"""

    def run(*arguments: str, **more: str) -> Result:
        with capture_logs():
            result = CliRunner().invoke(app, arguments, **more)  # type: ignore[arg-type]
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def with_database(environment: pytest.MonkeyPatch, dsn: str) -> str:
    """A database of one's own stands in the environment."""
    environment.setenv("GOCLAW_POSTGRES_DSN", dsn)
    environment.setenv("GOCLAW_ENCRYPTION_KEY", KEY)
    return dsn
