"""Every operation has a place at every door, and is the one that is asked there. Who may do
what is seen to in `test_matrix.py`.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLObjectType

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, Unauthenticated
from goclaw.resolvers.checkup import check_stored
from goclaw.resolvers.context import Context
from goclaw.resolvers.encryption import rotate_encryption
from goclaw.resolvers.operation import OPERATIONS, _Guarded
from goclaw.rest_compat.routes import ROUTES
from goclaw.schema.documents import CORE_SCHEMA
from tests.doors.calling import Answer, Caller
from tests.doors.cases import Case, Other, filled
from tests.doors.graphql_mutations import MUTATIONS
from tests.doors.graphql_queries import QUERIES, SUBSCRIPTIONS
from tests.doors.rest_cases import PATHS
from tests.doors.world import Rows, World
from tests.support.callers import context

CASES = (*QUERIES, *MUTATIONS, *SUBSCRIPTIONS, *PATHS)

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMAND_LINE: dict[str, Any] = {
    operation.name: operation for operation in (check_stored, rotate_encryption)
}
"""What only commands ask for, on the machine itself."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _quiet(world: World) -> AsyncIterator[None]:
    yield
    await world.hush()


async def rows_for(world: World, case: Case) -> Rows:
    """Ada's, to be refused or looked at."""
    return await world.talking() if case.talks else await world.recent()


async def own_rows_for(world: World, case: Case) -> Rows:
    """Ada's, to be changed."""
    return await world.fresh() if case.writes and not case.talks else await rows_for(world, case)


async def test_the_table_holds_every_operation() -> None:
    assert {case.operation for case in CASES} == set(OPERATIONS) - set(COMMAND_LINE)
    for case in CASES:
        assert OPERATIONS[case.operation].scope == case.scope, case.name


async def test_what_the_command_line_asks_is_the_administrators(world: World) -> None:
    for operation in COMMAND_LINE.values():
        with pytest.raises(Forbidden):
            operation.admit(context(world.services, "ada", Scope.WRITE))
        with pytest.raises(Unauthenticated):
            operation.admit(Context(world.services, None, "test"))


async def test_the_table_holds_every_field_that_can_be_asked() -> None:
    roots = (CORE_SCHEMA.query_type, CORE_SCHEMA.mutation_type, CORE_SCHEMA.subscription_type)
    fields = {name for root in roots for name in fields_of(root)}
    asked = {
        re.sub(r"^(query|mutation|subscription)?\s*(\(.*?\))?\s*\{\s*", "", case.graphql)
        for case in CASES
        if case.graphql is not None
    }
    names = {re.split(r"\W", text)[0] for text in asked}
    assert names == fields


def fields_of(root: GraphQLObjectType | None) -> set[str]:
    assert root is not None
    return set(root.fields)


async def test_the_table_holds_every_route_with_all_it_calls() -> None:
    called = set()
    for route in ROUTES:
        place = f"{route.method} {route.path}"
        later = [route.respond_async.operation] if route.respond_async else []
        for operation in (route.operation, *(p.operation for p in route.also.values()), *later):
            called.add((operation.name, re.sub(r"\{\w+\}", "{}", place)))
    asked = {
        (case.operation, re.sub(r"\$\w+|/eve\b", place_of, (case.rest or "").partition("?")[0]))
        for case in CASES
        if case.rest is not None
    }
    assert asked - called == {("check_ready", "GET /readyz"), ("get_figures", "GET /metrics")}
    assert called - asked == set()


def place_of(found: "re.Match[str]") -> str:
    return "/{}" if found[0].startswith("/") else "{}"


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.anonymous and not case.subscribes],
    ids=lambda case: case.name,
)
async def test_a_credential_that_does_not_hold_is_refused_outright(
    world: World, case: Case
) -> None:
    rows = await rows_for(world, case)
    stranger = Caller(world.http, world.server.url, "goclaw_" + "0" * 32, "ada")
    answer = await case.ask(stranger, rows)
    assert answer.status == 401, answer.text
    if case.rest != "GET /metrics":
        assert answer.code == "invalid_credential", answer.text
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@every_case
async def test_with_its_scope_it_works(
    world: World, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = await own_rows_for(world, case)
    admitted: set[str] = set()
    admit = _Guarded.admit

    def noted(self: _Guarded, ctx: Any) -> None:
        admit(self, ctx)
        admitted.add(self.name)

    monkeypatch.setattr(_Guarded, "admit", noted)
    answer = await case.ask(world.caller(case.scope or Scope.PAIRING), rows)
    assert answer.status == case.status, answer.text
    assert answer.error is None, answer.text
    assert_shown(case, answer, rows)
    assert case.operation in admitted


BOUND = [case for case in CASES if case.scope in (Scope.READ, Scope.WRITE)]


@pytest.mark.parametrize("case", BOUND, ids=lambda case: case.name)
async def test_a_key_for_other_agents_reaches_nothing_of_this_one(world: World, case: Case) -> None:
    rows = await own_rows_for(world, case)
    assert case.scope is not None
    caller = await world.bound(case.scope)
    before = await world.digest()
    answer = await case.ask(caller, rows)
    if not OPERATIONS[case.operation].bound:
        assert_refused(case, answer, 403, "key_bound_to_agents")
    elif case.other is Other.REFUSED:
        assert_refused(case, answer, 404, case.code)
    else:
        assert answer.status == case.status, answer.text
        assert answer.error is None, answer.text
        if case.other is Other.NOTHING and case.counts:
            assert case.number(answer) == 0
        elif case.other is Other.NOTHING:
            assert filled(case.shows, rows) not in answer.text, answer.text
    if case.writes:
        assert await world.digest() == before


def assert_refused(case: Case, answer: Answer, status: int, code: str) -> None:
    """REST says it by its status, GraphQL by its code alone, probes in plain text."""
    assert answer.status == (200 if case.graphql is not None else status), answer.text
    if case.rest == "GET /metrics":
        assert answer.body is None
        return
    assert answer.code == code, answer.text
    if case.graphql is not None:
        assert not answer.body.get("data"), answer.text
    else:
        assert isinstance(answer.body["error"], dict) == case.speaks_openai, answer.text


def assert_shown(case: Case, answer: Answer, rows: Rows) -> None:
    if case.counts:
        assert case.number(answer) > 0
    else:
        assert filled(case.shows, rows) in answer.text, answer.text
