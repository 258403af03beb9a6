"""Every operation at every door: for nobody, without its scope, with it, and for another user."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLObjectType

from goclaw.core.callers import Scope
from goclaw.core.errors import Forbidden, Unauthenticated
from goclaw.resolvers.checkup import check_fanout, check_secrets, get_database_state
from goclaw.resolvers.context import Context
from goclaw.resolvers.encryption import rotate_encryption
from goclaw.resolvers.operation import OPERATIONS, _Guarded
from goclaw.rest_compat.routes import ROUTES
from goclaw.schema.documents import CORE_SCHEMA
from tests.doors.calling import Answer, Caller
from tests.doors.cases import Case, Other, filled
from tests.doors.graphql_cases import MUTATIONS, QUERIES, SUBSCRIPTIONS
from tests.doors.rest_cases import PATHS
from tests.doors.world import Rows, World
from tests.support.callers import context

CASES = (*QUERIES, *MUTATIONS, *SUBSCRIPTIONS, *PATHS)

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMAND_LINE: dict[str, Any] = {
    operation.name: operation
    for operation in (check_fanout, check_secrets, get_database_state, rotate_encryption)
}
"""What only commands ask for, on the machine itself."""

LACKING = {Scope.READ: Scope.PAIRING, Scope.WRITE: Scope.READ, Scope.ADMIN: Scope.WRITE}
"""The strongest scope that does not do."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
guarded = pytest.mark.parametrize(
    "case", [case for case in CASES if case.scope is not None], ids=lambda case: case.name
)


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
            await operation(context(world.services, "ada", Scope.WRITE))
        with pytest.raises(Unauthenticated):
            await operation(Context(world.services, None, "test"))


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


@every_case
async def test_nobody_has_to_sign_in(world: World, case: Case) -> None:
    rows = await rows_for(world, case)
    before = await world.digest()
    nobody = world.caller(None, None)
    if case.subscribes:
        async with world.http.ws_connect(
            f"{nobody.url}/graphql", protocols=("graphql-transport-ws",)
        ) as socket:
            await socket.send_str('{"type":"connection_init"}')
            assert (await socket.receive()).data == 4401
    else:
        answer = await case.ask(nobody, rows)
        if case.anonymous:
            assert answer.status == case.status, answer.text
            return
        assert_refused(case, answer, 401, "unauthenticated")
    assert await world.digest() == before


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


@guarded
async def test_without_its_scope_it_is_forbidden_and_changes_nothing(
    world: World, case: Case
) -> None:
    rows = await rows_for(world, case)
    assert case.scope is not None
    before = await world.digest()
    answer = await case.ask(world.caller(LACKING[case.scope]), rows)
    assert_refused(case, answer, 403, "scope_missing")
    assert case.scope.value in answer.text
    assert await world.digest() == before


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


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.other is Other.REFUSED], ids=lambda case: case.name
)
async def test_another_user_is_told_that_it_is_not_there(world: World, case: Case) -> None:
    rows = await rows_for(world, case)
    before = await world.digest()
    answer = await case.ask(world.caller(case.scope, "bob"), rows)
    assert_refused(case, answer, 404, case.code)
    assert await world.digest() == before


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.other is Other.NOTHING], ids=lambda case: case.name
)
async def test_another_user_sees_nothing_of_it(world: World, case: Case) -> None:
    rows = await rows_for(world, case)
    answer = await case.ask(world.caller(case.scope or Scope.PAIRING, "bob"), rows)
    assert answer.status == 200, answer.text
    assert answer.error is None, answer.text
    if case.counts:
        assert case.number(answer) == 0
    else:
        assert filled(case.shows, rows) not in answer.text, answer.text


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.other is Other.SAME], ids=lambda case: case.name
)
async def test_what_belongs_to_nobody_is_there_for_all(world: World, case: Case) -> None:
    rows = await own_rows_for(world, case)
    answer = await case.ask(world.caller(case.scope or Scope.PAIRING, "bob"), rows)
    assert answer.status == case.status, answer.text
    assert answer.error is None, answer.text
    assert_shown(case, answer, rows)


SHARED = [
    case
    for case in CASES
    if case.operation in ("update_agent", "delete_agent", "share_agent", "unshare_agent")
]


@pytest.mark.parametrize("case", SHARED, ids=lambda case: case.name)
async def test_an_agent_one_may_use_is_not_one_to_change(world: World, case: Case) -> None:
    rows = await rows_for(world, case)
    before = await world.digest()
    answer = await case.ask(world.caller(Scope.WRITE, "eve"), rows)
    assert_refused(case, answer, 403, "agent_not_yours")
    assert await world.digest() == before


OWN = [
    case
    for case in CASES
    if case.operation in ("create_agent", "send_message", "wake_agent", "start_wake", "start_chat")
]


@pytest.mark.parametrize("case", OWN, ids=lambda case: case.name)
async def test_whoever_names_no_user_writes_nothing(world: World, case: Case) -> None:
    rows = await rows_for(world, case)
    before = await world.digest()
    answer = await case.ask(world.caller(Scope.WRITE, None), rows)
    assert answer.status == (200 if case.graphql else 400), answer.text
    code = "user_required"
    if case.operation == "send_message" and "session" in str(case.variables):
        code = "session_not_found"
    assert answer.code == code, answer.text
    assert await world.digest() == before


@pytest.mark.parametrize("case", OWN, ids=lambda case: case.name)
async def test_a_bound_key_cannot_name_another_user(world: World, case: Case) -> None:
    _, token = await world.key(Scope.WRITE, user_id="ada")
    rows = await own_rows_for(world, case)
    before = await world.digest()
    answer = await case.ask(Caller(world.http, world.server.url, token, "bob"), rows)
    assert (answer.status, answer.code) == (403, "user_not_yours"), answer.text
    assert await world.digest() == before
    alone = await case.ask(Caller(world.http, world.server.url, token, None), rows)
    assert alone.status == case.status, alone.text
    assert alone.error is None, alone.text


async def test_an_administrator_who_names_no_user_sees_everything(world: World) -> None:
    rows = await world.recent()
    lists = await world.root().graphql(
        "{ agents { nodes { id } } sessions { nodes { id } } runs { nodes { id } } }"
    )
    for name, list_ in (("agent", "agents"), ("session", "sessions"), ("run", "runs")):
        assert rows[name] in str(lists.data[list_])


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
