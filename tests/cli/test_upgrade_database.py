"""`goclaw upgrade-database`: from a folder that an older PostgreSQL wrote. There is none here, so
one of ours says that it is older, and a program beside it believes that.
"""

import asyncio
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from goclaw.cli import upgrade_database
from goclaw.embedded.folder import FolderLock
from goclaw.embedded.postgres import attached, binaries
from goclaw.embedded.upgrade import WORKSHOP, written_by
from tests.cli.conftest import Command, fetch_rows
from tests.cli.processes import command

OLD_PROGRAM = """#!/bin/sh
# An older server on its own data: `postgres -D <folder> ...`
echo 18 > "$2/PG_VERSION"
exec {postgres} "$@"
"""


def set_version(data_dir: Path, version: int) -> None:
    (data_dir / "postgres" / "PG_VERSION").write_text(f"{version}\n")


def names(data_dir: Path) -> list[str]:
    with attached(data_dir, 10) as database:
        rows = asyncio.run(fetch_rows(database.dsn, "select name from api_keys"))
    return [name for (name,) in rows]


def kept(data_dir: Path) -> list[str]:
    return sorted(path.name for path in data_dir.glob("postgres*") if path.is_dir())


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    """A data folder of PostgreSQL 17, so it says, and a backup of it, in one folder."""
    with TemporaryDirectory(prefix="goclaw-upgrade-") as path:
        data_dir = Path(path) / "data"
        for arguments in (("keys", "create", "laptop"), ("backup", f"{path}/old.goclaw")):
            done = command(data_dir, *arguments)
            assert done.returncode == 0, done.stderr
        set_version(data_dir, 17)
        yield Path(path)


@pytest.fixture
def old(original: Path) -> Iterator[Path]:
    """A copy of its own for each test; the database's account goes on owning it."""
    with TemporaryDirectory(prefix="goclaw-upgrade-") as path:
        subprocess.run(("cp", "-a", f"{original}/.", path), check=True)
        yield Path(path) / "data"


def upgraded(goclaw: Command, data_dir: Path, *more: str) -> str:
    """What the command says when it has gone well."""
    result = goclaw("upgrade-database", "--data-dir", str(data_dir), *more)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(goclaw: Command, data_dir: Path, *more: str) -> str:
    result = goclaw("upgrade-database", "--data-dir", str(data_dir), *more)
    assert result.exit_code == 1, result.output
    return result.stderr


def test_the_server_names_the_command(old: Path) -> None:
    done = command(old, "serve", "--port", "0")
    assert done.returncode == 1
    assert "was written by PostgreSQL 17, this program has 18; run: goclaw upgrade-database" in (
        done.stderr
    )
    assert written_by(old) == 17


def test_from_a_backup_of_the_old_version(old: Path, goclaw: Command) -> None:
    said = upgraded(goclaw, old, "--backup", str(old.with_name("old.goclaw")))
    (aside,) = (name for name in kept(old) if name != "postgres")
    assert aside.startswith("postgres-17-")
    assert f"the old one is kept in {old / aside}" in said.replace("\n", "")
    assert names(old) == ["laptop"]
    assert not (old / WORKSHOP).exists()
    assert "already" in upgraded(goclaw, old)


def test_with_the_old_programs(old: Path, goclaw: Command) -> None:
    programs = old.with_name("bin17")
    programs.mkdir()
    program = programs / "postgres"
    program.write_text(OLD_PROGRAM.format(postgres=binaries() / "postgres"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    upgraded(goclaw, old, "--old-binaries", str(programs))
    assert names(old) == ["laptop"]
    assert (old / "before-18.goclaw").exists()


def test_what_cannot_be_done_is_said_and_changes_nothing(old: Path, goclaw: Command) -> None:
    assert "name either a backup" in refused(goclaw, old)
    assert "is no backup" in refused(goclaw, old, "--backup", __file__)
    assert "does not start" in refused(goclaw, old, "--old-binaries", str(binaries()))
    set_version(old, 19)
    assert "newer program (PostgreSQL 19" in refused(goclaw, old, "--backup", __file__)
    set_version(old, 17)
    assert kept(old) == ["postgres"]
    assert written_by(old) == 17


def test_not_while_a_server_uses_the_folder(old: Path, goclaw: Command) -> None:
    with FolderLock(old):
        said = refused(goclaw, old, "--backup", str(old.with_name("old.goclaw")))
    assert "uses the data folder" in said
    assert kept(old) == ["postgres"]


def test_one_that_was_ended_between_two_steps_is_finished_by_the_next_start(
    old: Path, goclaw: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(upgrade_database, "swap", lambda data_dir: data_dir)
        upgraded(goclaw, old, "--backup", str(old.with_name("old.goclaw")))
    (old / "postgres").rename(old / "postgres-17-aside")
    assert names(old) == ["laptop"]
    assert kept(old) == ["postgres", "postgres-17-aside"]
