"""docs/permissions.md is what the program does, and leaves nothing out."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from goclaw.cli import permissions
from goclaw.cli.permissions import app, document
from goclaw.core.callers import Scope
from goclaw.resolvers.operation import OPERATIONS, Operation
from goclaw.rest_compat.routes import ROUTES
from goclaw.schema.documents import CORE_SCHEMA

FILE = Path(__file__).parents[2] / "docs" / "permissions.md"
LINES = [line.split(" | ") for line in FILE.read_text().splitlines() if line.startswith("| `")]


def test_the_file_is_the_table() -> None:
    assert FILE.read_text() == document(), "run `goclaw permissions --write docs/permissions.md`"


def test_every_operation_is_reached_by_a_door_and_concerns_some_rows() -> None:
    document()  # loads what no door reaches, too
    assert len(LINES) == len(OPERATIONS)
    for name, _, rows, *doors in LINES:
        assert rows, name
        assert any(door.strip(" |") for door in doors), f"{name} has no door"


def test_every_way_in_leads_to_an_operation() -> None:
    ways = set(re.findall(r"`([^`]+)`", "".join(door for line in LINES for door in line[3:])))
    for word, root in (
        ("query", CORE_SCHEMA.query_type),
        ("mutation", CORE_SCHEMA.mutation_type),
        ("subscription", CORE_SCHEMA.subscription_type),
    ):
        assert root is not None
        assert {f"{word} {name}" for name in root.fields} <= ways
    assert {f"{route.method} {route.path}" for route in ROUTES} <= ways
    assert {"goclaw keys create", "goclaw keys list", "goclaw keys revoke"} <= ways


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(app, []).stdout == document()
    target = tmp_path / "permissions.md"
    assert run(app, ["--write", str(target)]).exit_code == 0
    assert run(app, ["--check", str(target)]).exit_code == 0
    target.write_text(target.read_text().replace("operator.write", "operator.read"))
    result = run(app, ["--check", str(target)])
    assert result.exit_code == 1
    assert "out of date" in result.output


def test_rows_of_a_new_module_have_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(ctx: object) -> None: ...

    look.__module__ = "goclaw.resolvers.brand_new"
    monkeypatch.setitem(OPERATIONS, "look", Operation(Scope.READ, look))
    with pytest.raises(LookupError, match="whose rows brand_new has"):
        permissions.rows_of("look")
