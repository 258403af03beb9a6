"""`goclaw backup` and `goclaw restore`: what went in comes out, and nothing is lost on the way."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen
from zipfile import ZipFile

import asyncpg
import pytest

from goclaw.cli import restore
from goclaw.cli.backup import write_backup
from goclaw.embedded.archive import DUMP, KEY, MANIFEST, Archive
from goclaw.embedded.postgres import attached
from goclaw.security.key_file import KEY_FILE
from goclaw.security.keys import parse_key
from goclaw.store.migrate import newest_version
from goclaw.store.tables import TABLES
from tests.cli.conftest import Command, fetch_rows
from tests.cli.processes import command, running

TOKEN = "t" * 20
LEFT_OUT = {"events", "fanout_payloads", "chores"}
"""The log of this cluster, messages of a moment, and who tidies up."""
KEPT = [str(table.__tablename__) for table in TABLES if table.__tablename__ not in LEFT_OUT]
WRITE_PAIRS = """
    insert into activity_logs (id, actor_type, actor_id, action, created_at)
    select gen_random_uuid(), 'user', 'pair', 'written', now() from generate_series(1, 2)
"""


def post(port: int, path: str, body: Mapping[str, object]) -> None:
    request = Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            "X-GoClaw-User-Id": "ada",
        },
    )
    with urlopen(request, timeout=30) as answer:
        assert answer.status == 201


def contents(data_dir: Path) -> dict[str, list[str]]:
    """Every row of what a backup holds."""
    with attached(data_dir, 10) as database:
        return {
            name: [
                row
                for (row,) in asyncio.run(
                    fetch_rows(database.dsn, f"select t::text from {name} t order by 1")
                )
            ]
            for name in KEPT
        }


def secret_is_readable(data_dir: Path) -> bool:
    done = command(data_dir, "doctor", "--offline", "--json", GOCLAW_GATEWAY_TOKEN=TOKEN)
    findings = {f["subject"]: f for f in json.loads(done.stdout)["findings"]}
    assert findings["stored secrets"]["text"][0] == "1" or "keys of" in done.stdout
    return str(findings["stored secrets"]["status"]) == "ok"


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    """The data folder of a server that was used, and a backup beside it, made as it ran."""
    with TemporaryDirectory(prefix="goclaw-backup-") as path:
        folder = Path(path) / "data"
        with running(folder, GOCLAW_GATEWAY_TOKEN=TOKEN) as port:
            provider = {
                "name": "vendor",
                "provider_type": "openai_compat",
                "api_base": "https://vendor.example/v1",
                "api_key": "sk-secret-of-the-vendor",
            }
            post(port, "/v1/providers", provider)
            post(port, "/v1/agents", {"name": "scribe", "provider": "vendor", "model": "m"})
            done = command(folder, "backup", str(folder.with_name("first.goclaw")))
            assert done.returncode == 0, done.stderr
            assert newest_version() in done.stdout
            assert "which is not in it" in done.stdout
        yield folder


@pytest.fixture
def first(original: Path) -> Path:
    return original.with_name("first.goclaw")


def test_what_was_backed_up_comes_back_and_a_server_starts_on_it(
    original: Path, first: Path, folder: Path
) -> None:
    done = command(folder, "restore", str(first))
    assert done.returncode == 0, done.stderr
    key_id = parse_key((original / KEY_FILE).read_text().strip()).id
    assert f"Its secrets need the encryption key {key_id}" in done.stderr
    assert contents(folder) == contents(original)

    shutil.copy(original / KEY_FILE, folder / KEY_FILE)
    assert secret_is_readable(folder)
    with running(folder, GOCLAW_GATEWAY_TOKEN=TOKEN) as port:
        request = Request(
            f"http://127.0.0.1:{port}/v1/agents/scribe",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with urlopen(request, timeout=30) as answer:
            assert json.load(answer)["provider"] == "vendor"
        # Events are written and told in the new cluster.
        post(port, "/v1/agents", {"name": "second", "provider": "vendor", "model": "m"})
    with attached(folder, 10) as database:
        kinds = asyncio.run(fetch_rows(database.dsn, "select kind from events"))
    assert kinds == [("agent.created",)]


def test_the_file_is_its_owners_alone_and_holds_no_secret(first: Path) -> None:
    assert first.stat().st_mode & 0o077 == 0
    with ZipFile(first) as archive:
        assert archive.namelist() == [MANIFEST, DUMP]
    assert not list(first.parent.glob(".first*"))


def test_the_key_goes_in_when_it_is_asked_for(
    original: Path, folder: Path, goclaw: Command
) -> None:
    file = folder.with_name("with-key.goclaw")
    result = goclaw("backup", str(file), "--with-key", "--data-dir", str(original))
    assert "The encryption key is in it" in result.stdout
    folder.mkdir()
    (folder / KEY_FILE).write_text("11" * 32)
    result = goclaw("restore", str(file), "--data-dir", str(folder))
    assert result.exit_code == 0, result.output
    assert "need the encryption key" not in result.stderr
    keys = (folder / KEY_FILE).read_text().split()
    assert keys == [*(original / KEY_FILE).read_text().split(), "11" * 32]
    assert (folder / KEY_FILE).stat().st_mode & 0o077 == 0
    assert secret_is_readable(folder)


def copy_folder(original: Path, folder: Path) -> None:
    """With its owners: the database may run as a user of its own."""
    subprocess.run(["cp", "-a", original, folder], check=True)


def test_it_says_which_key_was_not_found_for_it(
    original: Path, folder: Path, goclaw: Command, environment: pytest.MonkeyPatch
) -> None:
    copy_folder(original, folder)
    id = parse_key((folder / KEY_FILE).read_text().strip()).id
    (folder / KEY_FILE).unlink()
    environment.setenv("GOCLAW_ENCRYPTION_KEY", "x" * 32)
    file = folder.with_name("other-key.goclaw")
    result = goclaw("backup", str(file), "--with-key", "--data-dir", str(folder))
    assert f"need the encryption key {id}, which is not in it" in result.stdout


def test_a_long_ring_of_keys_comes_back_whole(
    original: Path, folder: Path, goclaw: Command
) -> None:
    copy_folder(original, folder)
    keys = [*(folder / KEY_FILE).read_text().split(), *(f"{n:064x}" for n in range(40))]
    (folder / KEY_FILE).write_text("\n".join(keys))
    file = folder.with_name("ring.goclaw")
    result = goclaw("backup", str(file), "--with-key", "--data-dir", str(folder))
    assert result.exit_code == 0, result.output
    (folder / KEY_FILE).unlink()
    result = goclaw("restore", str(file), "--force", "--data-dir", str(folder))
    assert result.exit_code == 0, result.output
    assert (folder / KEY_FILE).read_text().split() == keys


def test_broken_keys_are_refused_before_anything_is_replaced(
    first: Path, folder: Path, goclaw: Command
) -> None:
    folder.mkdir(parents=True)
    broken = folder / "broken.goclaw"
    for raw in (b"11" * 31, b"\xff" * 64):
        with ZipFile(first) as old, ZipFile(broken, "w") as new:
            manifest = json.loads(old.read(MANIFEST)) | {"holds_key": True}
            new.writestr(MANIFEST, json.dumps(manifest))
            new.writestr(KEY, raw)
            new.writestr(DUMP, old.read(DUMP))
        result = goclaw("restore", str(broken), "--data-dir", str(folder))
        assert result.exit_code != 0
        assert result.stderr.count("\n") == 1
        assert not (folder / "postgres").exists()


def test_secrets_of_an_older_server_are_told_of(
    original: Path, first: Path, folder: Path, goclaw: Command
) -> None:
    assert goclaw("restore", str(first), "--data-dir", str(folder)).exit_code == 0
    with attached(folder, 10) as database:
        legacy = "update providers set api_key = 'aes-gcm:AAAA' where api_key is not null"
        asyncio.run(fetch_rows(database.dsn, legacy))
    file = folder.with_name("legacy.goclaw")
    result = goclaw("backup", str(file), "--data-dir", str(folder))
    assert "of an older server need the encryption key of that server" in result.stdout
    result = goclaw("restore", str(file), "--force", "--data-dir", str(folder))
    assert "GOCLAW_OLD_ENCRYPTION_KEYS" in result.stderr


def test_a_database_that_is_there_is_replaced_only_when_told_to(
    first: Path, original: Path, folder: Path, goclaw: Command
) -> None:
    def restored(*more: str) -> str:
        result = goclaw("restore", str(first), "--data-dir", str(folder), *more)
        return result.stderr if result.exit_code else ""

    assert not restored()
    with attached(folder, 10) as database:
        asyncio.run(fetch_rows(database.dsn, "delete from agents"))
    assert "there is a database already" in restored()
    assert contents(folder)["agents"] == []
    assert not restored("--force").startswith("goclaw:")
    assert contents(folder) == contents(original)
    with attached(folder, 10) as database:
        names = asyncio.run(fetch_rows(database.dsn, "select datname from pg_database"))
    assert {name for (name,) in names} == {"postgres", "template0", "template1", "goclaw"}


def test_it_is_one_moment_though_others_write(first: Path, folder: Path, goclaw: Command) -> None:
    """Every transaction writes two rows; half of one is never seen."""
    assert goclaw("restore", str(first), "--data-dir", str(folder)).exit_code == 0
    file = folder.with_name("busy.goclaw")
    stop = asyncio.Event()

    async def write(dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        while not stop.is_set():
            await connection.execute(WRITE_PAIRS)
        await connection.close()

    async def backed_up(dsn: str) -> None:
        writers = [asyncio.create_task(write(dsn)) for _ in range(3)]
        await asyncio.sleep(0.2)
        await write_backup(file, dsn)
        assert not any(writer.done() for writer in writers)
        stop.set()
        await asyncio.gather(*writers)

    with attached(folder, 10) as database:
        asyncio.run(backed_up(database.dsn))
    assert goclaw("restore", str(file), "--force", "--data-dir", str(folder)).exit_code == 0
    with attached(folder, 10) as database:
        ((rows,),) = asyncio.run(
            fetch_rows(database.dsn, "select count(*) from activity_logs where actor_id = 'pair'")
        )
    assert rows > 0
    assert rows % 2 == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schema_version": "9999"}, "newer program (9999; known here: "),
        ({"postgres": 99}, "newer program (PostgreSQL 99; known here: 18)"),
        ({"format": 2}, "newer program (format 2; known here: 1)"),
        ({"format": "x"}, "is no backup, or is damaged"),
    ],
)
def test_what_a_newer_program_wrote_is_refused(
    first: Path, folder: Path, goclaw: Command, changes: dict[str, object], expected: str
) -> None:
    folder.mkdir(parents=True)
    newer = folder / "newer.goclaw"
    with ZipFile(first) as old, ZipFile(newer, "w") as new:
        manifest = json.loads(old.read(MANIFEST)) | changes
        new.writestr(MANIFEST, json.dumps(manifest))
        new.writestr(DUMP, old.read(DUMP))
    result = goclaw("restore", str(newer), "--data-dir", str(folder))
    assert result.exit_code == 1
    assert expected in result.stderr
    assert not (folder / "postgres").exists()


def test_a_damaged_file_leaves_the_database_alone(
    first: Path, folder: Path, goclaw: Command
) -> None:
    assert goclaw("restore", str(first), "--data-dir", str(folder)).exit_code == 0
    before = contents(folder)
    raw = bytearray(first.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    damaged = folder.with_name("damaged.goclaw")
    damaged.write_bytes(raw)
    for file in (damaged, *(_file(folder, name, text) for name, text in BROKEN.items())):
        result = goclaw("restore", str(file), "--force", "--data-dir", str(folder))
        assert result.exit_code == 1, file
        assert result.stderr.startswith("goclaw: ")
        assert result.stderr.count("\n") == 1
    assert contents(folder) == before


BROKEN = {"empty": b"", "text": b"Not a zip.", "cut": b"PK\x03\x04" + b"\0" * 100}


def _file(folder: Path, name: str, raw: bytes) -> Path:
    path = folder.with_name(name)
    path.write_bytes(raw)
    return path


def test_no_file_is_overwritten_and_none_is_left_half(
    original: Path, folder: Path, goclaw: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    file = folder / "a.goclaw"
    file.write_text("precious")
    result = goclaw("backup", str(file), "--data-dir", str(original))
    assert "is there already" in result.stderr
    assert file.read_text() == "precious"

    monkeypatch.setattr("goclaw.embedded.dump.LEFT_OUT", "'")
    monkeypatch.setattr("goclaw.embedded.dump.ENVIRONMENT", {"PGOPTIONS": "-c no_such=1"})
    result = goclaw("backup", str(folder / "b.goclaw"), "--data-dir", str(original))
    assert result.exit_code == 1
    assert "the copy failed" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["a.goclaw"]
    result = goclaw("backup", str(folder / "none" / "c"), "--data-dir", str(original))
    assert "No such file" in result.stderr


def test_beside_a_running_server_nothing_is_restored(original: Path, first: Path) -> None:
    with attached(original, 10):
        done = command(original, "restore", str(first), "--force")
    assert done.returncode == 1
    assert "uses the data folder" in done.stderr


def test_somebody_connected_keeps_the_old_database(
    first: Path, folder: Path, goclaw: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert goclaw("restore", str(first), "--data-dir", str(folder)).exit_code == 0
    put_back = restore.put_back

    async def disturbed(archive: Archive, dsn: str, *, force: bool) -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await put_back(archive, dsn, force=force)
        finally:
            await connection.close()

    monkeypatch.setattr(restore, "put_back", disturbed)
    result = goclaw("restore", str(first), "--force", "--data-dir", str(folder))
    assert "somebody is connected" in result.stderr
    assert contents(folder)["agents"]


def test_an_external_database_has_tools_of_its_own(
    goclaw: Command, with_database: str, tmp_path: Path
) -> None:
    for arguments in (
        ("backup", str(tmp_path / "x")),
        ("restore", str(tmp_path / "x")),
        ("upgrade-database", "--backup", str(tmp_path / "x")),
    ):
        result = goclaw(*arguments)
        assert result.exit_code == 1
        assert "pg_dump" in result.stderr


def test_without_a_database_there_is_nothing_to_copy(goclaw: Command, tmp_path: Path) -> None:
    for arguments in (("backup", str(tmp_path / "x")), ("upgrade-database",)):
        result = goclaw(*arguments)
        assert result.exit_code == 1
        assert "there is no database in" in result.stderr
    assert not (tmp_path / "x").exists()
