"""The embedded database: kept, guarded, recovered, and fit to be relied on."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from goclaw.core.errors import Conflict, Unavailable
from goclaw.embedded import postgres as module
from goclaw.embedded.postgres import Database, EmbeddedPostgres, attached

ROOT = Path(__file__).parents[2]


@contextmanager
def started(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(data_dir, connections=10)
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()


async def ask(database: Database, sql: str) -> Any:
    connection = await asyncpg.connect(database.dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "data"


async def test_rows_are_kept_and_the_second_start_is_quick(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        await ask(postgres.database, "create table kept as select 7 as number")
    began = time.monotonic()
    with started(data_dir) as postgres:
        assert time.monotonic() - began < 5
        assert await ask(postgres.database, "select number from kept") == 7
    assert postgres.pid is None


async def test_it_is_postgresql_18_with_pgvector_in_new_databases_too(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        version = await ask(postgres.database, "show server_version_num")
        assert version.startswith("18")
        nearest = "select '[1,2]'::halfvec(2) <=> '[1,2]'::halfvec(2)"
        assert await ask(postgres.database, nearest) == 0
        await ask(postgres.database, "create database another")
        other = Database(postgres.database.dsn.replace("/goclaw?", "/another?"), 0)
        assert await ask(other, nearest) == 0
        await ask(postgres.database, "drop database another")


async def test_a_commit_is_durable_and_connections_are_what_was_asked(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        assert await ask(postgres.database, "show fsync") == "on"
        assert await ask(postgres.database, "show synchronous_commit") == "on"
        assert await ask(postgres.database, "show full_page_writes") == "on"
        limit = int(await ask(postgres.database, "show max_connections"))
        assert limit == postgres.database.max_connections >= 10 + 10


async def test_text_sorts_and_folds_the_same_everywhere(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        assert await ask(postgres.database, "select upper('ärger')") == "ÄRGER"
        assert await ask(postgres.database, "select 'Z' < 'a'")


async def test_only_this_machine_can_connect_and_only_through_the_file(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        assert await ask(postgres.database, "show listen_addresses") == ""
        socket = postgres.folder / module.SOCKET
        assert socket.stat().st_mode & 0o077 == 0
        assert postgres.folder.stat().st_mode & 0o077 == 0
        assert (data_dir / "postgres.log").stat().st_mode & 0o077 == 0


async def test_what_users_wrote_stays_out_of_the_log(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        with pytest.raises(asyncpg.PostgresError):
            await ask(postgres.database, "select 1 / (length('confidential') - 12)")
    assert "confidential" not in (data_dir / "postgres.log").read_text()


def test_two_servers_on_one_folder(data_dir: Path) -> None:
    with started(data_dir):
        with pytest.raises(Conflict) as refused:
            EmbeddedPostgres(data_dir, connections=10).start()
        assert str(refused.value) == (
            f"another server (process {os.getpid()}) uses the data folder {data_dir}"
        )
    with started(data_dir):
        """The folder is free again."""


@pytest.mark.parametrize("name", ["x" * 120, "with space", 'quote\'s "and", comma', "größe%20"])
async def test_folders_with_long_and_odd_names(tmp_path: Path, name: str) -> None:
    with started(tmp_path / name) as postgres:
        assert await ask(postgres.database, "select 1") == 1
        socket_dir = postgres._socket_dir
    assert len(name) < 100 or not socket_dir.exists()


async def test_after_the_server_was_killed_the_next_one_recovers(data_dir: Path) -> None:
    script = f"""
        import asyncio, asyncpg, os, signal
        from pathlib import Path
        from goclaw.embedded.postgres import EmbeddedPostgres
        postgres = EmbeddedPostgres(Path({str(data_dir)!r}), 10)
        dsn = postgres.start().dsn
        async def write():
            connection = await asyncpg.connect(dsn)
            await connection.execute("create table if not exists survived (at timestamptz)")
            await connection.execute("insert into survived values (now())")
        asyncio.run(write())
        print(postgres.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        (sys.executable, "-c", textwrap.dedent(script)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    with started(data_dir) as postgres:
        assert postgres.pid != int(done.stdout.splitlines()[-1])
        assert await ask(postgres.database, "select count(*) from survived") >= 1


async def test_a_database_left_running_is_ended_first(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems where the kernel does not tell a child that its parent is dead."""
    left = EmbeddedPostgres(data_dir, connections=10)
    left.start()
    left._lock.release()
    assert left._child is not None
    with started(data_dir) as postgres:
        assert await ask(postgres.database, "select 1") == 1
        assert left._child.wait(5) == 0


async def test_a_database_killed_in_the_middle_of_work_recovers(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        await ask(postgres.database, "create table crashed as select generate_series(1, 1000)")
        assert postgres.pid is not None
        psutil.Process(postgres.pid).kill()
        while not postgres.has_died():
            time.sleep(0.01)
        postgres.relaunch()
        while not postgres.is_ready():
            time.sleep(0.01)
        assert await ask(postgres.database, "select count(*) from crashed") == 1000


def test_a_stale_pid_file_of_another_process_is_ignored(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        folder = postgres.folder
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n0\n5432\n/tmp\n\n\nready\n")
    with started(data_dir) as postgres:
        assert postgres.pid != os.getpid()


async def test_a_half_made_folder_is_made_again(tmp_path: Path) -> None:
    draft = tmp_path / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with started(tmp_path) as postgres:
        assert await ask(postgres.database, "select 1") == 1
    assert not draft.exists()


def test_a_folder_of_another_version_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("16\n")
    with pytest.raises(Unavailable, match="written by PostgreSQL 16, this program has 18"):
        EmbeddedPostgres(tmp_path, connections=10).start()
    assert (folder / "PG_VERSION").read_text() == "16\n"


def test_a_damaged_folder_gives_the_reason_and_frees_the_folder(tmp_path: Path) -> None:
    with started(tmp_path) as postgres:
        folder = postgres.folder
    (folder / "global" / "pg_control").unlink()
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"could not find the database system|pg_control"):
            EmbeddedPostgres(tmp_path, connections=10).start()


def test_without_the_wheel_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="install it or set GOCLAW_POSTGRES_DSN"):
        EmbeddedPostgres(tmp_path, connections=10)


async def test_the_command_line_joins_a_running_database_and_leaves_it(data_dir: Path) -> None:
    with started(data_dir) as postgres:
        with attached(data_dir, 10) as database:
            assert database.dsn == postgres.database.dsn
            assert await ask(database, "select 1") == 1
        assert await ask(postgres.database, "select 1") == 1


async def test_the_command_line_starts_a_database_for_itself(data_dir: Path) -> None:
    with attached(data_dir, 10) as database:
        assert await ask(database, "select 1") == 1
    with pytest.raises(OSError):
        await ask(database, "select 1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_needs_nothing_special() -> None:
    """Becomes one once all is imported, as this Python may be in a folder of root's alone; so may
    the database's programs, which root's own start lets others pass to.
    """
    script = """
        import os, pwd, tempfile
        from pathlib import Path
        from goclaw.embedded.account import let_through
        from goclaw.embedded.postgres import EmbeddedPostgres, binaries
        let_through([binaries()])
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        with tempfile.TemporaryDirectory() as folder:
            postgres = EmbeddedPostgres(Path(folder) / "data", 10)
            postgres.start()
            print(os.geteuid(), (Path(folder) / "data" / "postgres").stat().st_uid)
            postgres.stop()
    """
    done = subprocess.run(
        (sys.executable, "-c", textwrap.dedent(script)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    owner, uid = done.stdout.split()
    assert owner == uid != "0"
