"""Asks one operation as one caller by one way, and holds the answer against the rules."""

from typing import Any

import aiohttp

from tests.doors.calling import Answer, asked_over
from tests.doors.cases import Case, filled
from tests.doors.graphql_mutations import MUTATIONS
from tests.doors.graphql_queries import QUERIES, SUBSCRIPTIONS
from tests.doors.personas import Persona
from tests.doors.rest_cases import PATHS
from tests.doors.rules import OUTSIDE, Verdict, verdict
from tests.doors.world import Rows, World

CASES = (*QUERIES, *MUTATIONS, *SUBSCRIPTIONS, *PATHS)


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


async def rows_for(world: World, case: Case) -> Rows:
    if case.talks:
        return await world.talking()
    if case.writes:
        return await world.fresh(conversation=case.needs_conversation)
    return await world.recent()
