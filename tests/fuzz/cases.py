"""Schemathesis in this process: cases of either schema, asked as a role."""

import json
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import schemathesis
import schemathesis.specs.openapi.adapter.v2  # else loaded late, deep in Hypothesis' own calls
from graphql import StringValueNode
from hypothesis import strategies as st
from schemathesis import Case, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.graphql import nodes
from schemathesis.specs.graphql.schemas import GraphQLSchema

from tests.fuzz.budget import SEED, explore
from tests.fuzz.judge import Finding, check_document, check_payload, check_route, check_status
from tests.fuzz.roles import Role
from tests.fuzz.tally import Tally

ROOT: Final = Path(__file__).parents[2]
INSTANTS = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
DOORS: Final = {"/v1": "", "graphql": "/graphql"}
"""And where they are."""


def graphql_scalars(role: Role) -> None:
    """Ids of rows that are there, among others."""
    ids = st.sampled_from(role.ids)
    schemathesis.graphql.scalar("UUID", _text(ids | st.uuids().map(str) | st.text()))
    schemathesis.graphql.scalar("DateTime", _text(INSTANTS | st.text()))
    schemathesis.graphql.scalar("Decimal", _text(st.decimals().map(str) | st.text()))
    schemathesis.graphql.scalar("JSON", _text(st.text()) | st.integers().map(nodes.Int))


def _text(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[StringValueNode]:
    return strategy.map(nodes.String)


def over_schema(door: str, url: str, role: Role, tally: Tally, **budget: Any) -> None:
    """`budget` as `explore` takes it. Raises Finding."""
    graphql_scalars(role)
    explore(cases(door), partial(ask, door, url, role, tally), **{"start": SEED, **budget})


@cache
def cases(door: str) -> st.SearchStrategy[Any]:
    """Of any operation, as the schema allows it."""
    schema: Any = (
        schemathesis.graphql.from_path(ROOT / "schema.graphql")
        if door == "graphql"
        else schemathesis.openapi.from_path(ROOT / "openapi.json")
    )
    operations = [result.ok() for result in schema.get_all_operations()]
    return st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy())


def ask(door: str, url: str, role: Role, tally: Tally, case: Case[Any]) -> None:
    response = case.call(base_url=url + DOORS[door], headers=role.headers)
    tally.count(door, role.name, response.status_code)
    check_answer(role, case, response)
    if door == "/v1":
        try:
            case.validate_response(response, headers=role.headers)
        except FailureGroup as failures:
            shown = [f"{failure.title}: {failure.message}" for failure in failures.exceptions]
            raise Finding(f"{role.name}, {case.as_curl_command()}: {shown}") from failures


def check_answer(role: Role, case: Case[Any], response: Response) -> None:
    """Raises Finding."""
    text = response.content.decode(errors="replace")  # files are no text
    status = response.status_code
    if not isinstance(case.operation.schema, GraphQLSchema):
        check_route(role, case.method, case.operation.path, status, text)
        return
    check_status(status, text)
    payload = json.loads(text)
    check_payload(role, payload)
    check_document(role, str(case.body), payload.get("data"))
