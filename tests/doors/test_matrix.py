"""Every kind of caller, every operation, every door: what `rules.py` says comes of it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goclaw.core.callers import Scope
from tests.doors.calling import Answer, asked_over
from tests.doors.cases import Case, filled
from tests.doors.graphql_cases import MUTATIONS, QUERIES, SUBSCRIPTIONS
from tests.doors.personas import PERSONAS, Persona
from tests.doors.rest_cases import PATHS
from tests.doors.rules import OUTSIDE, PUBLIC, RULES, Verdict, rule_of, verdict
from tests.doors.world import Rows, World

CASES = (*QUERIES, *MUTATIONS, *SUBSCRIPTIONS, *PATHS)

pytestmark = pytest.mark.asyncio(loop_scope="module")

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
REPEATED = 5
"""How many callers make a change over a further transport; refusals are tried by all."""


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _quiet(world: World) -> AsyncIterator[None]:
    yield
    await world.hush()
    await world.hang_up()


async def test_every_operation_has_a_rule() -> None:
    """That every operation has a case is seen to in `test_permissions.py`."""
    asked = {case.operation for case in CASES}
    missing = asked - set(RULES)
    assert not missing, f"tests/doors/rules.py has no rule for {', '.join(sorted(missing))}"
    assert {name.partition(" ")[0] for name in RULES} == asked


async def test_the_tables_of_cases_agree_with_the_rules() -> None:
    for case in CASES:
        scope, _ = rule_of(case)
        assert case.anonymous == (scope == PUBLIC), case.name
        assert case.scope == (scope if isinstance(scope, Scope) else None), case.name


def doors(case: Case) -> list[str]:
    if case.rest is not None:
        return ["rest"]
    return ["socket", "multipart"] if case.subscribes else ["http", "socket"]


async def ask(world: World, door: str, case: Case, persona: Persona, rows: Rows) -> Answer:
    """Raises WSServerHandshakeError or Closed where a socket is refused."""
    assert case.graphql is not None or door == "rest"
    variables = filled(dict(case.variables), rows)
    if door == "socket":
        return await asked_over(await world.socket(persona), case.graphql or "", **variables)
    caller = await world.persona(persona)
    if door == "multipart":
        return await caller.first_part(case.graphql or "", **variables)
    return await case.ask(caller, rows)


async def judge(world: World, door: str, case: Case, persona: Persona, rows: Rows) -> None:
    """Fails unless the answer is what the rules say."""
    due = verdict(case, persona)
    if door == "socket" and due.code in OUTSIDE:
        await socket_is_refused(world, persona, due)
        return
    answer = await ask(world, door, case, persona, rows)
    context = (case.name, door, persona, due, answer.status, answer.text[:500])
    if due.refused:
        assert_refused(case, door, due, answer, context)
    else:
        assert answer.error is None, context
        assert answer.status == (200 if due.shows is False else case.status), context
        assert shows(case, answer, rows) == due.shows, context


async def socket_is_refused(world: World, persona: Persona, due: Verdict) -> None:
    caller = await world.persona(persona)
    async with world.http.ws_connect(
        f"{world.server.url}/graphql", protocols=("graphql-transport-ws",), headers=caller.headers
    ) as socket:
        await socket.send_str('{"type":"connection_init"}')
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == {401: 4401, 403: 4403}[due.status]


def assert_refused(case: Case, door: str, due: Verdict, answer: Answer, context: Any) -> None:
    over_graphql = door != "rest"
    at_the_door = due.code in OUTSIDE and due.code != "unauthenticated"
    status = due.status if not over_graphql or at_the_door else 200
    assert answer.status == status, context
    if case.rest == "GET /metrics":
        assert answer.body is None, context
        return
    assert answer.code == due.code, context
    if over_graphql:
        assert not answer.body.get("data"), context
    else:
        assert isinstance(answer.body["error"], dict) == case.speaks_openai, context
    if due.code == "scope_missing":
        assert str(case.scope) in answer.text, context


def shows(case: Case, answer: Answer, rows: Rows) -> bool:
    if case.counts:
        return case.number(answer) > 0
    return filled(case.shows, rows) in answer.text


@every_case
async def test_callers_who_may_not_are_refused_and_change_nothing(world: World, case: Case) -> None:
    refused = [persona for persona in PERSONAS.values() if verdict(case, persona).refused]
    for persona in refused:
        await world.persona(persona)
    rows = await world.talking() if case.talks else await world.recent()
    before = await world.digest()
    for persona in refused:
        for door in doors(case):
            await judge(world, door, case, persona, rows)
    assert await world.digest() == before, f"{case.name}: a refused call changed something"


@every_case
async def test_callers_who_may_get_what_is_theirs(world: World, case: Case) -> None:
    allowed = [persona for persona in PERSONAS.values() if not verdict(case, persona).refused]
    assert allowed
    for place, persona in enumerate(allowed):
        for number, door in enumerate(doors(case)):
            if case.writes and number and place >= REPEATED:
                continue
            await judge(world, door, case, persona, await rows_for(world, case))
            await world.hush()


async def rows_for(world: World, case: Case) -> Rows:
    if case.talks:
        return await world.talking()
    return await world.fresh() if case.writes else await world.recent()


SCOPES = st.frozensets(st.sampled_from(Scope), min_size=1)
USERS = st.sampled_from([None, "ada", "bob", "eve", "boss"])
PERSONS = st.builds(Persona, granted=SCOPES, named=USERS, bound=USERS)
ASKED = st.sampled_from([case for case in CASES if not case.talks])


async def judged_once(world: World, case: Case, persona: Persona) -> None:
    due = verdict(case, persona)
    await world.persona(persona)
    rows = await world.recent() if due.refused else await rows_for(world, case)
    before = await world.digest() if due.refused else {}
    for door in doors(case)[:1] if case.writes and not due.refused else doors(case):
        await judge(world, door, case, persona, rows)
    if due.refused:
        assert await world.digest() == before
    await world.hang_up()


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=ASKED, persona=PERSONS)
async def test_any_scopes_and_any_user(world: World, case: Case, persona: Persona) -> None:
    await judged_once(world, case, persona)
