"""Who a call is for, and what that keeps from whom. The numbers in names are those of the
weaknesses that `docs/security.md` lists.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from goclaw.core.callers import Scope
from goclaw.models.shapes import now
from goclaw.resolvers.operation import operation
from goclaw.rest_compat.routes import ROUTES
from tests.doors.calling import SEND, Caller, chat_body
from tests.doors.cases import Case
from tests.doors.judging import CASES, doors, judge
from tests.doors.personas import PERSONAS, key
from tests.doors.rules import PUBLIC, SIGNED_IN, Whose, rule_of, verdict
from tests.doors.world import World
from tests.schema.client import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTS = """{
    agents { nodes { key isDefault } totalCount }
    sessions { totalCount } runs { totalCount } traces { totalCount } activity { totalCount }
    costs { agentId }
}"""
WRITES = [case for case in CASES if rule_of(case)[0] in (Scope.WRITE, Scope.ADMIN)]
CHANGE_SHARED = [case for case in CASES if rule_of(case)[1] is Whose.OWNERS]


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _quiet(world: World) -> AsyncIterator[None]:
    yield
    await world.hush()
    await world.hang_up()


async def refused_all(world: World, cases: list[Case], *names: str) -> None:
    """Each case for each of those callers, and nothing has changed."""
    rows = await world.talking()
    rows = {**await world.recent(), "run": rows["run"], "session": rows["session"]}
    for name in names:
        await world.persona(PERSONAS[name])
    before = await world.digest()
    for case in cases:
        for name in names:
            assert verdict(case, PERSONAS[name]).refused, (case.name, name)
            await judge(world, doors(case)[0], case, PERSONAS[name], rows)
    assert await world.digest() == before


@pytest.mark.parametrize("fault", ["wrong", "unknown", "expired", "revoked", "malformed"])
@pytest.mark.parametrize("place", ["upgrade", "first message"])
async def test_weakness_1_a_credential_that_does_not_hold_opens_no_socket(
    world: World, fault: str, place: str
) -> None:
    token = await spoilt(world, fault)
    header = {"Authorization": f"Bearer {token}"}
    nobody = Client(world.http, world.server.url, None)
    async with nobody.socket(headers=header if place == "upgrade" else {}, init=False) as socket:
        if place == "first message":
            await socket.send(type="connection_init", payload=header)
        message = await socket.ws.receive(timeout=5)
        assert message.data == 4401, message


async def spoilt(world: World, fault: str) -> str:
    if fault in ("wrong", "unknown", "malformed"):
        wrong = {"wrong": world.server.token + "x", "unknown": "goclaw_" + "0" * 32}
        return wrong.get(fault, "goclaw_XYZ")
    id, token = await world.key(Scope.WRITE, user_id="ada")
    if fault == "revoked":
        await world.root().rest("POST", f"/v1/api-keys/{id}/revoke")
    else:
        past = now() - timedelta(seconds=1)
        pool = world.services.database.pool
        await pool.execute("update api_keys set expires_at = $1 where id = $2", past, id)
    return token


async def test_weakness_2_a_socket_hears_nothing_it_has_not_asked_for(world: World) -> None:
    """Neither before it has signed in nor after."""
    nobody = Client(world.http, world.server.url, None)
    ada = Client(world.http, world.server.url, world.tokens[Scope.WRITE], "ada")
    async with nobody.socket(init=False) as stranger, ada.socket() as signed_in:
        await world.fresh()
        await signed_in.send(type="ping")
        assert await signed_in.receive() == {"type": "pong"}
        with pytest.raises(TimeoutError):
            await stranger.ws.receive(timeout=0.2)
        await stranger.subscribe("1", "subscription { events { payload } }")
        assert await stranger.closed() == (4401, "Unauthorized")


async def test_weakness_4_health_tells_of_no_connection(world: World) -> None:
    ada = Client(world.http, world.server.url, world.tokens[Scope.WRITE], "ada")
    async with ada.socket():
        answer = await world.caller(None).rest("GET", "/health")
    assert set(answer.body) == {"status", "protocol", "uptime_ms", "mode", "database"}
    assert "ada" not in answer.text


async def test_weakness_7_a_viewer_changes_nothing(world: World) -> None:
    await refused_all(world, WRITES, "viewer", "viewer of no user", "owner who reads")


async def test_weakness_7_no_operation_goes_without_a_scope() -> None:
    with pytest.raises(TypeError):
        operation()  # type: ignore[call-arg]
    public = {case.operation for case in CASES if rule_of(case)[0] in (PUBLIC, SIGNED_IN)}
    assert public == {"get_health", "check_ready", "get_me", "sign_in", "sign_out"}
    open_to_all = {route.path for route in ROUTES if route.operation.scope is None}
    assert open_to_all == {"/health", "/v1/session"}


async def test_weakness_8_approvals_and_pairing_allow_nothing_else(world: World) -> None:
    guarded = [case for case in CASES if isinstance(rule_of(case)[0], Scope)]
    await refused_all(world, guarded, "pairing only", "approvals only", "pairing and approvals")


async def test_weakness_8_a_read_key_reads_what_its_user_may(world: World) -> None:
    """Sessions, messages, runs, traces, costs and activity of others are not there."""
    rows = await world.recent()
    reader = key(Scope.READ, bound="bob")
    private = [
        case
        for case in CASES
        if rule_of(case)[0] is Scope.READ and rule_of(case)[1] is Whose.USERS and not case.talks
    ]
    assert len(private) > 25
    for case in private:
        for door in doors(case):
            await judge(world, door, case, reader, rows)


async def test_weakness_13_a_bound_key_is_nobody_else(world: World) -> None:
    guarded = [case for case in CASES if rule_of(case)[0] != PUBLIC and case.rest != "GET /metrics"]
    await refused_all(world, guarded, "ada as bob", "bob as ada by name")


async def test_weakness_13_naming_an_owner_makes_no_owner(world: World) -> None:
    guarded = [case for case in CASES if rule_of(case)[0] != PUBLIC and case.rest != "GET /metrics"]
    await refused_all(world, guarded, "bob as owner")
    named = chat_body("Hello?") | {"user": "boss"}
    answer = await world.caller(Scope.WRITE, None).rest("POST", "/v1/chat/completions", named)
    assert (answer.status, answer.code) == (403, "owner_not_yours")


async def test_weakness_13_without_a_user_nothing_is_written(world: World) -> None:
    writes = [case for case in CASES if rule_of(case)[0] is Scope.WRITE]
    await refused_all(world, writes, "operator of no user")


async def test_weakness_13_without_a_user_only_what_is_for_all_is_seen(world: World) -> None:
    await world.recent()
    admin = world.root("ada")
    made = await admin.graphql(
        "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { id } }",
        input={"key": "for-all", "providerId": str(world.provider.id), "model": "m",
               "isDefault": True},
    )  # fmt: skip
    assert made.data
    seen = (await world.caller(Scope.READ, None).graphql(LISTS)).data
    assert [agent["key"] for agent in seen["agents"]["nodes"]] == ["for-all"]
    for list_ in ("sessions", "runs", "traces", "activity"):
        assert seen[list_]["totalCount"] == 0
    assert seen["costs"] == []


async def test_an_empty_user_header_is_none(world: World) -> None:
    for empty in ("", " "):
        headers = {"X-GoClaw-User-Id": empty}
        reader = world.caller(Scope.READ, None)
        answer = await reader.rest("GET", "/v1/activity", headers=headers)
        assert answer.body["total"] == 0


async def test_an_owner_sees_all_and_may_change_it(world: World) -> None:
    rows = await world.fresh()
    boss = Caller(world.http, world.server.url, world.server.token, "boss")
    lists = await boss.graphql("{ agents { nodes { id } } sessions { nodes { id } } }")
    assert rows["agent"] in str(lists.data)
    assert rows["session"] in str(lists.data)
    for case in CHANGE_SHARED:
        own = await world.fresh(conversation=False)
        await judge(world, doors(case)[0], case, PERSONAS["owner"], own)


async def test_an_administrator_who_names_a_user_is_that_user(world: World) -> None:
    rows = await world.recent()
    bob = world.root("bob")
    answer = await bob.rest("GET", f"/v1/agents/{rows['agent']}")
    assert (answer.status, answer.code) == (404, "agent_not_found")
    assert rows["session"] not in (await bob.graphql("{ sessions { nodes { id } } }")).text


async def test_an_agents_owner_sees_its_totals_and_no_contents(world: World) -> None:
    rows = await world.fresh(conversation=False)
    eve, ada, bob = (world.caller(Scope.WRITE, name) for name in ("eve", "ada", "bob"))
    said = await eve.rest(
        "POST",
        "/v1/chat/completions",
        chat_body("A secret of eve") | {"model": f"goclaw:{rows['agent_key']}"},
    )
    assert said.status == 200
    await world.settle()
    costs = "query ($id: UUID) { costs(agentId: $id) { agentId traceCount inputTokens } }"

    async def total(caller: Caller) -> Any:
        return (await caller.graphql(costs, id=rows["agent"])).data["costs"]

    assert (await total(ada))[0]["traceCount"] == 1
    assert await total(ada) == await total(eve)
    assert await total(bob) == []
    mine = (await eve.graphql("{ traces(first: 1) { nodes { id sessionId } } }")).data
    (trace,) = mine["traces"]["nodes"]
    for path in (f"/v1/traces/{trace['id']}", f"/v1/traces/{trace['id']}/export"):
        assert (await ada.rest("GET", path)).code == "trace_not_found"
    asked = await ada.graphql(
        "query ($id: UUID!) { session(id: $id) { id } }", id=trace["sessionId"]
    )
    assert asked.code == "session_not_found"
    for query in ("{ traces { nodes { outputPreview } } }", "{ runs { nodes { errorMessage } } }"):
        assert "secret of eve" not in (await ada.graphql(query)).text


async def test_sharing_is_the_owners_or_of_those_who_hold_an_admin_share(world: World) -> None:
    rows = await world.fresh(conversation=False)
    ada, eve, bob = (world.caller(Scope.WRITE, name) for name in ("ada", "eve", "bob"))
    shares = f"/v1/agents/{rows['agent']}/shares"
    assert (await eve.rest("POST", shares, {"user_id": "bob"})).code == "agent_not_yours"
    assert (await bob.rest("POST", shares, {"user_id": "bob"})).code == "agent_not_found"
    raised = await ada.rest("POST", shares, {"user_id": "eve", "role": "admin"})
    assert raised.status == 201
    assert (await eve.rest("POST", shares, {"user_id": "bob"})).status == 201
    assert (await bob.rest("GET", f"/v1/agents/{rows['agent']}")).status == 200
    seen = (await bob.rest("GET", shares)).body["shares"]
    assert [share["user_id"] for share in seen] == ["bob"]
    assert (await ada.rest("DELETE", f"{shares}/bob")).status == 200
    assert (await bob.rest("GET", f"/v1/agents/{rows['agent']}")).status == 404


async def test_only_an_administrator_makes_an_agent_everybodys(world: World) -> None:
    rows = await world.fresh(conversation=False)
    ada = world.caller(Scope.WRITE)
    path = f"/v1/agents/{rows['agent']}"
    refused = await ada.rest("PUT", path, {"is_default": True})
    assert (refused.status, refused.code) == (403, "scope_missing")
    made = await ada.rest(
        "POST", "/v1/agents",
        {"name": "mine-for-all", "provider": rows["provider_name"], "model": "m",
         "is_default": True},
    )  # fmt: skip
    assert (made.status, made.code) == (403, "scope_missing")


async def test_who_wrote_it_is_the_caller_and_not_what_is_sent(world: World) -> None:
    rows = await world.fresh(conversation=False)
    _, token = await world.key(Scope.WRITE, user_id="bob")
    bob = Caller(world.http, world.server.url, token)
    number = rows["number"]
    body = {"name": f"by-{number}", "provider": rows["provider_name"], "model": "m",
            "owner_id": "ada", "user_id": "ada", "created_by": "ada"}  # fmt: skip
    made = await bob.rest("POST", "/v1/agents", body)
    assert made.status == 201, made.text
    assert made.body["owner_id"] == "bob"
    log = (await bob.rest("GET", "/v1/activity?limit=1")).body["logs"]
    assert [(row["actor_id"], row["action"]) for row in log] == [("bob", "agent.created")]


async def test_the_users_own_run_is_answered_in_no_other_users_session(world: World) -> None:
    """Seen but not to be changed is 403: an owner reads a conversation and does not speak in it."""
    rows = await world.fresh()
    boss = world.root("boss")
    sent = {"sessionId": rows["session"], "text": "I am ada."}
    answer = await boss.graphql(SEND, input=sent)
    assert answer.code == "session_not_yours"
