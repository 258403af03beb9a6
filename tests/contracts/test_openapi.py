"""The generated document is the one checked in, and keeps what was once published."""

import json
from pathlib import Path
from typing import Any

import pytest

from goclaw.rest_compat.openapi import document, printed

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PUBLISHED: list[dict[str, Any]] = json.loads((HERE / "published.json").read_text())
NOT_BUILT = set((HERE / "not_built.txt").read_text().split("\n")[:-1])
DOCUMENT = document()
MOST_NOT_BUILT = 32
"""Only ever lowered, as operations are built."""


def name(operation: dict[str, Any]) -> str:
    return f"{operation['method']} {operation['path']}"


BUILT = [operation for operation in PUBLISHED if name(operation) not in NOT_BUILT]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """All properties that a schema has, through references and alternatives."""
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    properties = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        properties |= resolved(part)
    if "items" in schema:
        properties |= resolved(schema["items"])
    return properties


def test_the_file_is_the_document() -> None:
    assert (ROOT / "openapi.json").read_text() == printed(), (
        "run `goclaw openapi --write openapi.json`"
    )


def test_what_is_not_built_was_published_and_is_not_documented() -> None:
    known = {name(operation) for operation in PUBLISHED}
    assert known >= NOT_BUILT
    assert len(NOT_BUILT) <= MOST_NOT_BUILT
    built = {
        f"{method.upper()} {path}"
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }
    assert not built & NOT_BUILT
    assert {name(operation) for operation in BUILT} <= built


@pytest.mark.parametrize("operation", BUILT, ids=name)
def test_published_operations_keep_their_form(operation: dict[str, Any]) -> None:
    here = DOCUMENT["paths"][operation["path"]][operation["method"].lower()]
    parameters = {(item["name"], item["in"]) for item in here.get("parameters", [])}
    assert parameters >= {(item["name"], item["in"]) for item in operation["parameters"]}
    assert set(here["responses"]) >= set(operation["answers"])
    if operation["body"] is not None:
        content = here["requestBody"]["content"][operation["body"]["media_type"]]
        assert set(resolved(content["schema"])) >= set(operation["body"]["fields"])
    for status, fields in operation["answers"].items():
        content = here["responses"][status].get("content", {}).get("application/json", {})
        assert set(resolved(content.get("schema", {}))) >= set(fields)


def test_the_users_header_is_optional() -> None:
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for item in operation.get("parameters", []):
                if item["in"] == "header":
                    assert not item.get("required")


def test_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    text = json.dumps(DOCUMENT)
    for piece in text.split('"#/components/schemas/')[1:]:
        assert piece.partition('"')[0] in schemas
