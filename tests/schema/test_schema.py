"""The schema as clients see it."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_specified_scalar_type,
)
from typer.testing import CliRunner

from goclaw.cli.schema import app
from goclaw.schema.documents import CORE_SCHEMA
from goclaw.schema.root import sdl

CHECKED_IN = Path(__file__).parent.parent.parent / "schema.graphql"


def test_the_file_is_up_to_date() -> None:
    assert CHECKED_IN.read_text() == sdl(), "run `goclaw schema --write schema.graphql`"


def test_everything_is_described() -> None:
    bare: list[str] = []
    for name, kind in CORE_SCHEMA.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        if not kind.description:
            bare.append(name)
        if isinstance(kind, GraphQLEnumType):
            bare += [f"{name}.{key}" for key, value in kind.values.items() if not value.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for key, field in kind.fields.items():
                if not field.description:
                    bare.append(f"{name}.{key}")
                for argument, given in getattr(field, "args", {}).items():
                    if not given.description:
                        bare.append(f"{name}.{key}({argument})")
    assert bare == []


def test_mutations_take_one_input() -> None:
    mutations = CORE_SCHEMA.mutation_type
    assert mutations is not None
    assert {tuple(field.args) for field in mutations.fields.values()} == {("input",)}


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(app, []).stdout == sdl()
    target = tmp_path / "schema.graphql"
    assert run(app, ["--write", str(target)]).exit_code == 0
    assert run(app, ["--check", str(target)]).exit_code == 0
    target.write_text(target.read_text().replace("type Query", "type Request"))
    result = run(app, ["--check", str(target)])
    assert result.exit_code == 1
    assert "out of date" in result.output


@pytest.mark.parametrize("kind", ["Agent", "Provider", "ApiKey", "Trace", "Session", "Run"])
def test_no_secret_is_a_field(kind: str) -> None:
    table = CORE_SCHEMA.get_type(kind)
    assert isinstance(table, GraphQLObjectType)
    assert not {"apiKey", "keyHash", "secret", "key_hash"} & set(table.fields)
