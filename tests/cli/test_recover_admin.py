"""`goclaw recover-admin`: the first administrator, and one who has lost the token."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.cli.conftest import Command, fetch_rows
from tests.cli.processes import command, running


def recovered(goclaw: Command, *arguments: str) -> dict[str, Any]:
    result = goclaw("recover-admin", *arguments, "--json")
    assert result.exit_code == 0, result.output
    key: dict[str, Any] = json.loads(result.stdout)
    return key


def status(port: int, token: str) -> int:
    url = f"http://127.0.0.1:{port}/v1/api-keys"
    request = Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_the_key_is_an_administrators_for_a_day(goclaw: Command, with_database: str) -> None:
    key = recovered(goclaw)
    assert key["scopes"] == ["operator.admin"]
    assert key["name"] == "recovery"
    ((hours,),) = asyncio.run(
        fetch_rows(
            with_database,
            "select extract(epoch from expires_at - created_at)::int / 3600 from api_keys",
        )
    )
    assert hours == 24


def test_the_audit_names_the_command_on_the_host(goclaw: Command, with_database: str) -> None:
    recovered(goclaw)
    goclaw("keys", "create", "laptop", "--user", "ada")
    rows = asyncio.run(
        fetch_rows(
            with_database,
            "select actor_type, actor_id, details::jsonb ->> 'command' from activity_logs"
            " order by id",
        )
    )
    assert rows == [
        ("system", "system", "goclaw recover-admin"),
        ("system", "system", "goclaw keys create"),
    ]


def test_other_administrators_keys_can_be_revoked(goclaw: Command, with_database: str) -> None:
    goclaw("keys", "create", "old", "--scope", "operator.admin")
    goclaw("keys", "create", "plain")
    result = goclaw("recover-admin", "--name", "new", "--revoke-others")
    assert "Other administrators' keys revoked: 1" in result.stdout
    rows = asyncio.run(fetch_rows(with_database, "select name from api_keys where not revoked"))
    assert {name for (name,) in rows} == {"plain", "new"}


@pytest.mark.parametrize("expires", ["", "soon", "0h"])
def test_a_time_that_is_none(goclaw: Command, with_database: str, expires: str) -> None:
    assert goclaw("recover-admin", "--expires", expires).exit_code == 2


def test_beside_a_running_server_whose_token_is_lost_and_when_it_is_stopped(folder: Path) -> None:
    with running(folder, GOCLAW_GATEWAY_TOKEN="forgotten") as port:
        beside = json.loads(command(folder, "recover-admin", "--json").stdout)["key"]
        assert status(port, beside) == 200
    stopped = json.loads(command(folder, "recover-admin", "--json").stdout)["key"]
    with running(folder, GOCLAW_GATEWAY_TOKEN="forgotten") as port:
        assert status(port, stopped) == 200
        assert status(port, beside) == 200
        assert status(port, "wrong") == 401
