"""Clients of the last released schema go on working with this one."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema
from graphql.utilities import BreakingChangeType, find_breaking_changes

ROOT = Path(__file__).parent.parent.parent
RELEASED = ROOT / "tests" / "contracts" / "released.graphql"
CURRENT = ROOT / "schema.graphql"

REMOVALS = {BreakingChangeType.FIELD_REMOVED, BreakingChangeType.VALUE_REMOVED_FROM_ENUM}


def deprecated(schema: GraphQLSchema) -> set[str]:
    """`Type.member` of fields and enum values that were announced to go."""
    members: set[str] = set()
    for name, kind in schema.type_map.items():
        for group in (getattr(kind, "fields", {}), getattr(kind, "values", {})):
            members |= {f"{name}.{key}" for key, item in group.items() if item.deprecation_reason}
    return members


def breaks(released: str, current: str) -> list[str]:
    old, new = build_schema(released), build_schema(current)
    announced = deprecated(old)
    return [
        change.description
        for change in find_breaking_changes(old, new)
        if not (change.type in REMOVALS and any(m in change.description for m in announced))
    ]


def test_nothing_breaks() -> None:
    assert breaks(RELEASED.read_text(), CURRENT.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type Query { a: Int b: Int }", "type Query { a: Int }"),
        ("type Query { a: Int! }", "type Query { a: Int }"),
        ("type Query { a(x: Int): Int }", "type Query { a(x: Int!): Int }"),
        ("type Query { a: E } enum E { A B }", "type Query { a: E } enum E { A }"),
    ],
)
def test_a_break_is_found(old: str, new: str) -> None:
    assert breaks(old, new)


def test_what_was_deprecated_may_go() -> None:
    assert not breaks("type Query { a: Int b: Int @deprecated }", "type Query { a: Int }")
