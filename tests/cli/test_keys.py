"""`goclaw keys`, on a database named by its address, on one in a data folder, and beside a
server that runs on that folder.
"""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer import BadParameter

from goclaw.cli.keys import seconds
from goclaw.embedded.postgres import pid_file_lines
from tests.cli.conftest import Command, fetch_rows
from tests.cli.processes import command, running


def created(goclaw: Command, *arguments: str) -> dict[str, Any]:
    result = goclaw("keys", "create", *arguments, "--json")
    assert result.exit_code == 0, result.output
    key: dict[str, Any] = json.loads(result.stdout)
    return key


def listed(goclaw: Command) -> dict[str, dict[str, Any]]:
    rows = json.loads(goclaw("keys", "list", "--json").stdout)
    return {row["name"]: row for row in rows}


def test_a_key_is_made_shown_once_and_revoked(goclaw: Command, with_database: str) -> None:
    key = created(goclaw, "laptop")
    assert key["key"].startswith(f"goclaw_{key['prefix']}")
    assert key["scopes"] == ["operator.write"]
    assert key["expires_at"] is None

    shown = goclaw("keys", "list")
    assert key["prefix"] in shown.stdout
    assert key["key"] not in shown.stdout
    assert "works" in shown.stdout

    assert goclaw("keys", "revoke", key["prefix"]).stdout.startswith("Revoked: goclaw_")
    assert listed(goclaw)["laptop"]["revoked"] is True
    assert goclaw("keys", "revoke", key["id"]).exit_code == 0


def test_what_was_asked_for_is_what_the_key_has(goclaw: Command, with_database: str) -> None:
    key = created(
        goclaw, "ops", "--scope", "operator.read", "--scope", "operator.admin",
        "--user", "ada", "--expires", "30d",
    )  # fmt: skip
    assert key["scopes"] == ["operator.read", "operator.admin"]
    assert key["user_id"] == "ada"
    assert key["expires_at"] > key["created_at"]
    assert listed(goclaw)["ops"]["created_by"] == "system"


def test_for_people_the_key_stands_on_a_line_of_its_own(
    goclaw: Command, with_database: str
) -> None:
    lines = goclaw("keys", "create", "a [b] key", "--user", "ada").stdout.splitlines()
    assert any(line.strip().startswith("goclaw_") and len(line.strip()) == 39 for line in lines)
    assert "a [b] key: operator.write, as user ada, without expiry" in lines
    assert "a [b] key" in goclaw("keys", "list").stdout


def test_the_activity_says_that_the_system_did_it(goclaw: Command, with_database: str) -> None:
    key = created(goclaw, "laptop")
    goclaw("keys", "revoke", key["id"])
    rows = asyncio.run(
        fetch_rows(
            with_database,
            "select action, actor_type, actor_id, ip_address, entity_id from activity_logs"
            " order by id",
        )
    )
    assert rows == [
        ("api_key.created", "system", "system", None, key["id"]),
        ("api_key.revoked", "system", "system", None, key["id"]),
    ]


def test_a_key_gets_a_new_secret(goclaw: Command, with_database: str) -> None:
    key = created(goclaw, "laptop", "--rate-limit", "60")
    assert key["rate_limit_per_minute"] == 60
    result = goclaw("keys", "rotate", key["prefix"], "--grace", "1h", "--json")
    rotated = json.loads(result.stdout)
    assert (rotated["id"], rotated["key"] != key["key"]) == (key["id"], True)
    seen = listed(goclaw)["laptop"]
    assert seen["prefix"] == rotated["prefix"]
    assert seen["previous_until"] > key["created_at"]
    assert "It is shown this once" in goclaw("keys", "rotate", key["id"]).stdout
    assert listed(goclaw)["laptop"]["previous_until"] is None


def test_no_provider_is_touched_by_a_command(goclaw: Command, with_database: str) -> None:
    """The command's environment has other keys of vendors than the server's."""
    statement = "insert into providers (id, name, provider_type, source, enabled, settings,"
    statement += " created_by, created_at, updated_at) values (gen_random_uuid(), 'openai',"
    statement += " 'openai_compat', 'environment', true, '{}', 'system', now(), now())"
    asyncio.run(fetch_rows(with_database, statement))
    created(goclaw, "laptop")
    rows = asyncio.run(fetch_rows(with_database, "select name, enabled from providers"))
    assert rows == [("openai", True)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("revoke", "ffff"), "no API key ffff"),
        (("revoke", ""), "no API key"),
        (("revoke", "01a20a7c-3da4-712d-8f36-836369c6b193"), "no API key 01a20a7c"),
        (("rotate", "ffff"), "no API key ffff"),
        (("create", "x", "--agent", "nobody"), "no agent nobody"),
        (("create", "x", "--rate-limit", "0"), "rate_limit_per_minute: "),
        (("create", ""), "name: "),
        (("create", "x", "--user", "u" * 300), "user_id: "),
    ],
)
def test_refusals_are_one_line(
    goclaw: Command, with_database: str, arguments: tuple[str, ...], expected: str
) -> None:
    result = goclaw("keys", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"goclaw: {expected}")
    assert len(result.stderr.splitlines()) == 1
    assert listed(goclaw) == {}


def test_a_prefix_of_two_keys_is_refused(
    goclaw: Command, with_database: str, environment: pytest.MonkeyPatch
) -> None:
    ids = [created(goclaw, name)["id"] for name in ("one", "two")]
    asyncio.run(fetch_rows(with_database, "update api_keys set prefix = 'abcd1234'"))
    result = goclaw("keys", "revoke", "goclaw_abcd1234…")
    assert result.exit_code == 1
    assert all(id in result.stderr for id in ids)
    assert not any(row["revoked"] for row in listed(goclaw).values())


def test_an_empty_list_says_what_to_do(goclaw: Command, with_database: str) -> None:
    assert "goclaw keys create my-key" in goclaw("keys", "list").stdout
    assert goclaw("keys", "list", "--json").stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "expected"), [("45s", 45), ("90m", 5400), ("12h", 43_200), ("8w", 4_838_400)]
)
def test_durations(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "30", "0d", "-1d", "1.5h", "d", "1y", "30 d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(BadParameter):
        seconds(text)


def test_a_bad_scope_or_duration_is_a_usage_error(goclaw: Command) -> None:
    assert goclaw("keys", "create", "x", "--scope", "all").exit_code == 2
    assert goclaw("keys", "create", "x", "--expires", "soon").exit_code == 2


def test_bad_settings_end_with_status_2(goclaw: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GOCLAW_WORKERS", "many")
    result = goclaw("keys", "list")
    assert result.exit_code == 2
    assert result.stderr.startswith("goclaw: GOCLAW_WORKERS: ")


def test_a_database_that_is_away(goclaw: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GOCLAW_POSTGRES_DSN", "postgresql://u:hush@127.0.0.1:1/none")
    result = goclaw("keys", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("goclaw: the database is not available")


def test_a_malformed_encryption_key(
    goclaw: Command, with_database: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_ENCRYPTION_KEY", "too short")
    result = goclaw("keys", "list")
    assert result.exit_code == 2
    assert result.stderr.startswith("goclaw: GOCLAW_ENCRYPTION_KEY: a key is 64 hex characters")


@pytest.mark.parametrize(
    ("version", "expected"), [("0000", "run: goclaw migrate"), ("9999", "newer than")]
)
def test_an_external_database_of_another_version(
    goclaw: Command, with_database: str, version: str, expected: str
) -> None:
    asyncio.run(fetch_rows(with_database, f"update alembic_version set version_num = '{version}'"))
    result = goclaw("keys", "list")
    assert result.exit_code == 1
    assert expected in result.stderr


def test_a_fresh_data_folder_gets_its_database_which_stops_afterwards(folder: Path) -> None:
    first = command(folder, "keys", "create", "first", "--json")
    assert (first.returncode, first.stderr) == (0, "")
    assert pid_file_lines(folder / "postgres") == []
    (row,) = json.loads(command(folder, "keys", "list", "--json").stdout)
    assert row["id"] == json.loads(first.stdout)["id"]


def test_beside_a_running_server(
    goclaw: Command, environment: pytest.MonkeyPatch, folder: Path
) -> None:
    environment.setenv("GOCLAW_DATA_DIR", str(folder))
    with running(folder, GOCLAW_GATEWAY_TOKEN="a-token-that-nobody-guesses") as port:
        key = created(goclaw, "laptop", "--scope", "operator.read")
        assert status_of(port, key["key"]) == 200
        assert status_of(port, key["key"][:-1] + "!") == 401
        goclaw("keys", "revoke", key["prefix"])
        assert status_of(port, key["key"]) == 401
        assert listed(goclaw)["laptop"]["revoked"] is True


def status_of(port: int, token: str) -> int:
    request = Request(
        f"http://127.0.0.1:{port}/v1/agents", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urlopen(request, timeout=10) as answer:
            status: int = answer.status
            return status
    except HTTPError as error:
        with error:
            return error.code
