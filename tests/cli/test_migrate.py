"""`goclaw migrate`"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from goclaw.store.migrate import newest_version
from tests.cli.conftest import Command, fetch_rows
from tests.cli.processes import command
from tests.support.databases import run_sql
from tests.support.databases import with_database as address_of


@pytest.fixture
def empty(postgres: str, environment: pytest.MonkeyPatch) -> Iterator[str]:
    """A database without a table stands in the environment."""
    name = f"t_{uuid4().hex}"
    asyncio.run(run_sql(postgres, f"create database {name}"))
    dsn = address_of(postgres, name)
    environment.setenv("GOCLAW_POSTGRES_DSN", dsn)
    yield dsn
    asyncio.run(run_sql(postgres, f"drop database {name} with (force)"))


def tables(dsn: str) -> int:
    statement = "select count(*) from pg_tables where schemaname = 'public'"
    ((count,),) = asyncio.run(fetch_rows(dsn, statement))
    return int(count)


def test_an_empty_database_is_brought_up_to_date(goclaw: Command, empty: str) -> None:
    result = goclaw("migrate", "--check")
    assert result.exit_code == 1
    assert f"version none, this is {newest_version()}; run: goclaw migrate" in result.stdout
    assert tables(empty) == 0

    result = goclaw("migrate")
    assert result.exit_code == 0
    assert result.stdout == f"The database is up to date: version {newest_version()}.\n"
    assert tables(empty) > 0

    assert goclaw("migrate").exit_code == 0
    assert goclaw("migrate", "--check").exit_code == 0


def test_a_newer_database_is_refused(goclaw: Command, with_database: str) -> None:
    asyncio.run(fetch_rows(with_database, "update alembic_version set version_num = '9999'"))
    result = goclaw("migrate")
    assert result.exit_code == 1
    assert "the database has version 9999, newer than" in result.stderr
    result = goclaw("migrate", "--check")
    assert result.exit_code == 1
    assert "use a newer goclaw" in result.stdout


def test_checking_makes_no_database(goclaw: Command, tmp_path: Path) -> None:
    result = goclaw("migrate", "--check")
    assert result.exit_code == 1
    assert "no database" in result.stdout
    assert not (tmp_path / "data").exists()


def test_the_embedded_database(folder: Path) -> None:
    result = command(folder, "migrate")
    assert (result.returncode, result.stderr) == (0, "")
    result = command(folder, "migrate", "--check")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_a_database_that_cannot_be_reached_is_one_line(
    goclaw: Command, environment: pytest.MonkeyPatch, postgres: str, arguments: tuple[str, ...]
) -> None:
    for dsn in ("postgresql://u:hush-hush@127.0.0.1:1/x", address_of(postgres, "not_there")):
        environment.setenv("GOCLAW_POSTGRES_DSN", dsn)
        result = goclaw("migrate", *arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("goclaw: the database is not available")
        assert len(result.stderr.splitlines()) == 1
        assert "hush" not in result.stderr
