"""Every kind of caller, every operation, every door: what `rules.py` says comes of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goclaw.core.callers import Scope
from goclaw.models.sessions import Session
from goclaw.resolvers.providers import update_provider
from goclaw.store import sessions
from goclaw.store.query import Query
from goclaw.store.visibility import CONDITIONS
from tests.doors.cases import Case
from tests.doors.judging import CASES, doors, judge, rows_for
from tests.doors.personas import PERSONAS, Persona
from tests.doors.rules import PUBLIC, RULES, rule_of, verdict
from tests.doors.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
REPEATED = 2
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
    elif case.writes:
        await world.hush()  # it may have stopped all runs
    await world.hang_up()


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=ASKED, persona=PERSONS)
async def test_any_scopes_and_any_user(world: World, case: Case, persona: Persona) -> None:
    await judged_once(world, case, persona)


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_a_scope_that_was_lowered_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The judge is no rubber stamp."""
    case = next(case for case in CASES if case.operation == "update_provider")
    rows = await world.fresh(conversation=False)
    await judge(world, way, case, PERSONAS["viewer"], rows)
    monkeypatch.setattr(update_provider, "scope", Scope.READ)
    with pytest.raises(AssertionError, match="update_provider"):
        await judge(world, way, case, PERSONAS["viewer"], rows)


@pytest.mark.parametrize(
    ("operation", "query"), [("get_session", sessions.BY_ID), ("list_sessions", sessions.PAGE)]
)
async def test_a_condition_that_was_dropped_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, query: Query[Session]
) -> None:
    case = next(case for case in CASES if case.operation == operation)
    rows = await world.recent()
    await judge(world, "http", case, PERSONAS["bob"], rows)
    conditions: dict[Any, Any] = CONDITIONS
    monkeypatch.setitem(conditions, Session, lambda _: None)
    monkeypatch.delitem(vars(query), "_own")  # what was compiled with the condition
    with pytest.raises(AssertionError, match=operation):
        await judge(world, "http", case, PERSONAS["bob"], rows)
