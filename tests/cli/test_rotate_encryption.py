"""`goclaw keys rotate-encryption`: on a database named by its address, on one in a data folder,
and beside a server that runs on that folder; and the start that is refused without the key.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from goclaw.embedded.postgres import attached
from goclaw.models.sealed import SealedColumn
from goclaw.security.key_file import KeyFile
from goclaw.security.vault import Vault
from tests.cli.conftest import KEY, Command, fetch_rows
from tests.cli.processes import command, running, variables
from tests.security.sealing import add_sealed, opened, texts, under
from tests.support.vaults import key_of, vault_of

OLD, NEW = key_of("k"), key_of("n")
assert KEY == "k" * 32
ROTATE = ("keys", "rotate-encryption")


@pytest.fixture
def changed(with_database: str, environment: pytest.MonkeyPatch) -> str:
    """A database whose operator has put a new key in front of the old one."""
    environment.setenv("GOCLAW_ENCRYPTION_KEY", "n" * 32)
    environment.setenv("GOCLAW_OLD_ENCRYPTION_KEYS", KEY)
    return with_database


def test_everything_is_moved_and_counted(goclaw: Command, changed: str) -> None:
    secrets = asyncio.run(add_sealed(changed, OLD, 450))
    asyncio.run(add_sealed(changed, OLD, 3, SealedColumn.ANSWER_SECRET))
    result = goclaw(*ROTATE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "providers.api_key: 200 encrypted anew",
        "providers.api_key: 200 encrypted anew",
        "providers.api_key: 50 encrypted anew",
        "idempotent_requests.secret: 3 encrypted anew",
        f"453 secrets encrypted anew with the key {NEW.id}.",
        f"Still known for reading: {OLD.id}.",
    ]
    assert asyncio.run(opened(changed, vault_of(NEW))) == secrets
    again = json.loads(goclaw(*ROTATE, "--json").stdout)
    assert (again["reencrypted"], again["key_id"], again["is_new"]) == (0, NEW.id, False)
    rows = asyncio.run(fetch_rows(changed, "select action, actor_id, details from activity_logs"))
    assert [row[:2] for row in rows] == [("encryption.rotated", "system")]
    assert json.loads(rows[0][2])["reencrypted"] == 453


def test_doctor_says_what_is_under_older_keys_and_how_to_mend_it(
    goclaw: Command, changed: str
) -> None:
    asyncio.run(add_sealed(changed, OLD, 3))

    def doctor() -> dict[str, dict[str, str]]:
        findings = json.loads(goclaw("doctor", "--json", "--offline").stdout)["findings"]
        return {finding["subject"]: finding for finding in findings}

    report = doctor()
    text = f"{NEW.id} from GOCLAW_ENCRYPTION_KEY, and for reading {OLD.id}"
    assert report["encryption key"]["text"] == text
    finding = report["stored secrets"]
    assert finding["status"] == "warning"
    assert finding["text"] == "3, all readable, 3 of them with older keys only"
    assert "goclaw keys rotate-encryption" in finding["fix"]
    goclaw(*ROTATE)
    assert doctor()["stored secrets"]["status"] == "ok"


def test_what_cannot_be_read_is_named_and_given_up_only_when_told(
    goclaw: Command, changed: str
) -> None:
    lost = asyncio.run(add_sealed(changed, key_of("x"), 2, name="lost"))
    mine = asyncio.run(add_sealed(changed, OLD, 2, name="mine"))
    result = goclaw(*ROTATE)
    assert result.exit_code == 1
    for name in ("lost-0", "lost-1"):
        assert f"Cannot be read: providers.api_key of {name}" in result.stdout
    assert goclaw(*ROTATE, "--discard-unreadable", input="n\n").exit_code == 1
    assert asyncio.run(texts(changed)).keys() == lost.keys() | mine.keys()
    result = goclaw(*ROTATE, "--discard-unreadable", "--yes")
    assert (result.exit_code, "2 secrets given up." in result.stdout) == (0, True)
    assert asyncio.run(opened(changed, vault_of(NEW))) == mine


@pytest.mark.parametrize(
    ("arguments", "key", "status", "said"),
    [
        ((), "", 1, "no encryption key: set GOCLAW_ENCRYPTION_KEY"),
        ((), "bad", 2, "GOCLAW_ENCRYPTION_KEY: a key is 64 hex"),
        (("--key-file", "key"), KEY, 1, "the key comes from GOCLAW_ENCRYPTION_KEY"),
        (("--key-file", "bad"), KEY, 2, "bad: a key is 64 hex"),
        (("--key-file", "gone"), KEY, 2, "'gone': No such file"),
        (("--forget-old-keys",), KEY, 1, "the key does not come from a file"),
        (("--forget-old-keys", "--key-file", "key"), KEY, 2, "takes no new key"),
    ],
)
def test_refusals_say_why(
    goclaw: Command,
    with_database: str,
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    key: str,
    status: int,
    said: str,
) -> None:
    (tmp_path / "key").write_text("n" * 32)
    (tmp_path / "bad").write_text("hush")
    environment.setenv("GOCLAW_ENCRYPTION_KEY", key)
    result = goclaw(*ROTATE, *arguments)
    assert (result.exit_code, "Traceback" in result.stderr) == (status, False)
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert "hush" not in result.stderr


def test_secrets_without_any_key(goclaw: Command, with_database: str, environment: Any) -> None:
    asyncio.run(add_sealed(with_database, OLD))
    environment.setenv("GOCLAW_ENCRYPTION_KEY", "")
    result = goclaw(*ROTATE)
    assert result.exit_code == 1
    assert "1 of providers.api_key (row-0) under key" in result.stderr
    assert asyncio.run(texts(with_database)) != {}


def served(folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """A start that is refused; one that is not is ended by the time limit."""
    return command(folder, "serve", "--port", "0", **more)


@pytest.mark.parametrize(
    ("keys", "status", "said"),
    [
        ({"GOCLAW_ENCRYPTION_KEY": "short"}, 2, "GOCLAW_ENCRYPTION_KEY: a key is 64 hex"),
        ({"GOCLAW_OLD_ENCRYPTION_KEYS": "x,y"}, 2, "GOCLAW_OLD_ENCRYPTION_KEYS: a key is 64 hex"),
        ({"GOCLAW_ENCRYPTION_KEY": "n" * 32}, 1, f"providers.api_key (row-0) under key {OLD.id}"),
        ({}, 1, "secrets are stored and there is no encryption key to read them"),
    ],
)
def test_weakness_23_a_start_with_a_wrong_or_missing_key_is_refused(
    dsn: str, folder: Path, keys: dict[str, str], status: int, said: str
) -> None:
    asyncio.run(add_sealed(dsn, OLD))
    folder.mkdir()
    result = served(folder, GOCLAW_POSTGRES_DSN=dsn, **keys)
    assert result.returncode == status
    assert said in result.stderr.splitlines()[0]
    assert "Traceback" not in result.stderr + result.stdout
    assert "GoClaw is ready" not in result.stdout


def ask(port: int, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-GoClaw-User-Id": "ada"}
    request = Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    with urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.mark.slow
def test_a_data_folder_from_its_first_key_to_the_second(folder: Path) -> None:
    """Beside the running server, and with the first key forgotten."""
    file = KeyFile(folder)
    with running(folder) as port:
        (first,) = file.read()
        for number in range(3):
            body = {"name": f"p{number}", "provider_type": "openai_compat", "api_key": "sk-planted"}
            ask(port, "POST", "/v1/providers", body)
        rotation = json.loads(command(folder, *ROTATE, "--json").stdout)
        assert (rotation["is_new"], rotation["reencrypted"]) == (True, 3)
        assert [key.id for key in file.read()] == [rotation["key_id"], first.id]
        assert file.path.stat().st_mode & 0o777 == 0o600
        body = {"name": "p3", "provider_type": "openai_compat", "api_key": "sk-planted"}
        ask(port, "POST", "/v1/providers", body)
        soon = command(folder, *ROTATE, "--forget-old-keys")
        assert (soon.returncode, "the keys changed" in soon.stderr) == (1, True)
    long_ago = time.time() - 3600
    os.utime(file.path, (long_ago, long_ago))
    forgotten = json.loads(command(folder, *ROTATE, "--forget-old-keys", "--json").stdout)
    assert (forgotten["forgotten"], forgotten["reading"]) == ([first.id], [])
    assert [key.id for key in file.read()] == [rotation["key_id"]]

    (folder / "encryption.key").rename(folder / "kept.key")
    refused = served(folder)
    assert refused.returncode == 1
    said = f"4 of providers.api_key (p3, p2, p1, ...) under key {rotation['key_id']}"
    assert said in refused.stderr
    assert not file.path.exists()


def dsn_of(folder: Path) -> str:
    """The database of the server that runs there."""
    with attached(folder, 4) as database:
        return database.dsn


@pytest.mark.slow
def test_killed_by_the_system_it_is_finished_by_the_next_run(folder: Path) -> None:
    """Wherever it is hit: every secret can be read, and no second new key is made."""
    with running(folder, GOCLAW_DB_CONNECTIONS="12") as port:
        file = KeyFile(folder)
        (first,) = file.read()
        assert ask(port, "GET", "/v1/providers")["providers"] is not None
        dsn = dsn_of(folder)
        secrets = asyncio.run(add_sealed(dsn, first, 2000))
        process = subprocess.Popen(
            (sys.executable, "-m", "goclaw", *ROTATE),
            env=variables(GOCLAW_DATA_DIR=str(folder)),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert "200 encrypted anew" in process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
        new, _ = file.read()
        both = Vault(type(vault_of().keys)(new, (first,)))
        found = asyncio.run(texts(dsn))
        assert 0 < under(new, found) < 2000
        assert asyncio.run(opened(dsn, both)) == secrets
        rotation = json.loads(command(folder, *ROTATE, "--json").stdout)
        assert (rotation["key_id"], rotation["is_new"]) == (new.id, False)
        assert rotation["reencrypted"] == 2000 - under(new, found)
        assert asyncio.run(opened(dsn, vault_of(new))) == secrets
