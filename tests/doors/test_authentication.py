"""Who gets in by what, with which rights: the behaviours 7 to 18 of the older server's tests, and
number 6 as a server under load meets it. Docstrings say where ours is another rule.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio

from goclaw.core.callers import Role, Scope
from goclaw.core.errors import TEXTS
from goclaw.core.locales import Locale
from goclaw.store.api_keys import ValidKey
from tests.conftest import TOKEN
from tests.doors.calling import Answer, Caller, asked_over, chat_body
from tests.doors.cases import Case
from tests.doors.judging import judge, rows_for
from tests.doors.personas import PERSONAS
from tests.doors.rest_cases import PATHS
from tests.doors.round_trips import Counted, counting
from tests.doors.rules import rule_of
from tests.doors.world import World
from tests.schema.client import Client
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 500
ME = "{ me { role scopes userId isOwner authentication } }"
KEY = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }"
NOWHERE = "00000000-0000-0000-0000-000000000000"
PROTECTED = [case for case in PATHS if isinstance(rule_of(case)[0], Scope)]


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _quiet(world: World) -> AsyncIterator[None]:
    yield
    await world.hush()
    await world.hang_up()


def of_method(method: str, *scopes: Scope) -> list[Case]:
    return [
        case
        for case in PROTECTED
        if (case.rest or "").startswith(f"{method} ") and rule_of(case)[0] in scopes
    ]


async def asked_everywhere(caller: Caller) -> tuple[Answer, Answer, Answer, Answer]:
    """At `/v1`, chat, `/metrics` and GraphQL."""
    return (
        await caller.rest("GET", "/v1/agents"),
        await caller.chat(),
        await caller.rest("GET", "/metrics"),
        await caller.graphql("{ agents { totalCount } }"),
    )


async def with_key(world: World, *scopes: Scope) -> Caller:
    _, token = await world.key(*scopes)
    return Caller(world.http, world.server.url, token, "ada")


async def rights(caller: Caller) -> tuple[str, set[str]]:
    """Role and scopes, which are the same over a socket."""
    me = (await caller.graphql(ME)).data["me"]
    async with caller.socket() as socket:
        assert (await asked_over(socket, ME)).data["me"] == me
    return me["role"], set(me["scopes"])


def named(*scopes: Scope) -> set[str]:
    return {scope.name for scope in scopes}


async def codes(caller: Caller) -> Sequence[str | None]:
    """What comes of reading, of changing something, and of what administrators do."""
    path = f"/v1/agents/{NOWHERE}"
    return (
        (await caller.rest("GET", path)).code,
        (await caller.rest("PUT", path, {"display_name": "Other"})).code,
        (await caller.rest("DELETE", f"/v1/api-keys/{NOWHERE}")).code,
    )


# ---------------------------------------------------------------- first uses under contention


class Held:
    """Look-ups of keys whose answers wait until all calls stand in line."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived = 0
        self._all = asyncio.Event()
        keys = world.services.keys
        self._find, self._look_up = keys.find, keys._look_up
        monkeypatch.setattr(keys, "find", self.find)
        monkeypatch.setattr(keys, "_look_up", self.look_up)

    async def find(self, digest: str) -> ValidKey | None:
        self.arrived += 1
        if self.arrived == AT_ONCE:
            self._all.set()
        return await self._find(digest)

    async def look_up(self, digest: str) -> ValidKey | None:
        await self._all.wait()
        return await self._look_up(digest)


def statements(requests: Sequence[Counted]) -> list[str]:
    """All that was executed; preparing one for a connection that has not had it is none."""
    sent = [text for request in requests for text in (*request.own, *request.others)]
    return [text for text in sent if text.startswith("bind_execute")]


async def test_behaviour_6_500_first_uses_at_once_are_one_look_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older server asks 1 to 50 times for 50 calls. All calls are inside before the database
    has answered the first, so none of them finds the key remembered; and the one look-up is all
    that they ask the database together.
    """
    _, token = await world.key(Scope.ADMIN)
    monkeypatch.setattr(world.services.keys, "_trusted", lambda: True)
    held = Held(world, monkeypatch)
    with counting(monkeypatch) as requests:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            caller = Caller(http, world.server.url, token)
            answers = await asyncio.gather(*(caller.graphql(ME) for _ in range(AT_ONCE)))
    assert {answer.data["me"]["role"] for answer in answers} == {Role.ADMIN.name}
    assert held.arrived == len(requests) == AT_ONCE
    assert len(statements(requests)) == 1


# ------------------------------------------------------------------------- the gateway's token


async def test_behaviour_7_the_gateway_token_is_the_administrator(world: World) -> None:
    """Who names no user is `system` and sees all rows."""
    rows = await world.recent()
    root = world.root()
    assert await rights(root) == (Role.ADMIN.name, named(*Scope))
    assert (await root.graphql(ME)).data["me"]["userId"] is None
    seen = await root.graphql("{ sessions { nodes { id } } }")
    assert rows["session"] in seen.text
    assert (await root.rest("GET", "/v1/api-keys")).status == 200
    made = await root.rest("POST", "/v1/api-keys", {"name": "k", "scopes": ["operator.read"]})
    logged = await root.rest("GET", f"/v1/activity?entity_id={made.body['id']}")
    assert [row["actor_id"] for row in logged.body["logs"]] == ["system"]


@pytest.mark.parametrize(
    "token", ["wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "goclaw_" + "0" * 32, "ü"]
)
async def test_behaviour_8_a_wrong_token_is_refused(world: World, token: str) -> None:
    """At every door, and not merely unauthenticated: GraphQL answers 401, too."""
    wrong = Caller(world.http, world.server.url, token, "ada")
    rest, chat, metrics, graphql = await asked_everywhere(wrong)
    assert {answer.status for answer in (rest, chat, metrics, graphql)} == {401}
    assert {rest.code, chat.code, graphql.code} == {"invalid_credential"}
    async with Client(world.http, world.server.url, token).socket(init=False) as socket:
        code, reason = await socket.closed()
    assert (code, reason) == (4401, TEXTS[Locale.EN]["invalid_credential"])


# ----------------------------------------------------------------------------- keys by scopes


async def test_behaviour_10_a_key_that_reads_is_a_viewers(world: World) -> None:
    viewer = await with_key(world, Scope.READ)
    assert await rights(viewer) == (Role.VIEWER.name, named(Scope.READ))
    assert await codes(viewer) == ("agent_not_found", "scope_missing", "scope_missing")


async def test_behaviour_11_an_admin_key_is_an_administrators(world: World) -> None:
    admin = await with_key(world, Scope.ADMIN)
    assert await rights(admin) == (Role.ADMIN.name, named(*Scope))
    assert await codes(admin) == ("agent_not_found", "agent_not_found", "api_key_not_found")


async def test_behaviour_12_a_key_that_writes_is_an_operators(world: World) -> None:
    """It reads, too, and neither approves nor pairs: scopes count, not roles."""
    operator = await with_key(world, Scope.WRITE)
    assert await rights(operator) == (Role.OPERATOR.name, named(Scope.READ, Scope.WRITE))
    assert await codes(operator) == ("agent_not_found", "agent_not_found", "scope_missing")


# ----------------------------------------------------------------------------------- methods


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_behaviour_13_reading_takes_a_viewer(world: World, method: str) -> None:
    """Or an administrator where the operation says so: it has the scope, not the method. HEAD is
    the GET of the same path.
    """
    assert not of_method("GET", Scope.WRITE)
    rows = await world.recent()
    viewer = await world.persona(PERSONAS["viewer"])
    for case in of_method("GET", Scope.READ, Scope.ADMIN):
        await judge(world, "rest", case, PERSONAS["viewer"], rows)
        if method == "HEAD":
            path = str(case.rest).partition(" ")[2]
            whole = await case.ask(viewer, rows)
            head = await replace(case, rest=f"HEAD {path}").ask(viewer, rows)
            assert (head.status, head.text) == (whole.status, ""), case.name


async def test_behaviour_13_options_tell_nothing(world: World) -> None:
    """The older server asks for a viewer; here a path is asked for by other sites' pages alone,
    and by nobody else, whoever it is.
    """
    for caller in (world.caller(None), world.caller(Scope.READ), world.root()):
        for path in ("/v1/agents", "/v1/api-keys"):
            assert (await caller.rest("OPTIONS", path)).status == 405


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_behaviour_13_changing_takes_an_operator(world: World, method: str) -> None:
    """Or an administrator, and never a viewer. Nothing is changed by PATCH."""
    assert not of_method(method, Scope.READ)
    writes, administers = of_method(method, Scope.WRITE), of_method(method, Scope.ADMIN)
    assert bool(writes) == (method != "PATCH")
    rows = await world.recent()
    await world.persona(PERSONAS["operator"])
    before = await world.digest()
    for case in (*writes, *administers):
        await judge(world, "rest", case, PERSONAS["viewer"], rows)
    for case in administers:
        await judge(world, "rest", case, PERSONAS["operator"], rows)
    assert await world.digest() == before
    for case in writes:
        own = await rows_for(world, case)
        await judge(world, "rest", case, PERSONAS["operator"], own)


# -------------------------------------------------------------------------- with and without


async def test_behaviour_14_without_a_header_nothing_is_answered(world: World) -> None:
    """GraphQL answers 200 with the code, as parts of a question may be public."""
    rest, chat, metrics, graphql = await asked_everywhere(world.caller(None, None))
    assert [answer.status for answer in (rest, chat, metrics, graphql)] == [401, 401, 401, 200]
    assert {rest.code, chat.code, graphql.code} == {"unauthenticated"}
    assert isinstance(chat.body["error"], dict)
    assert not graphql.body["data"]


@pytest.mark.parametrize("kind", ["token", "key"])
async def test_behaviour_15_a_good_token_is_answered(world: World, kind: str) -> None:
    caller = world.root("ada") if kind == "token" else world.caller(Scope.WRITE)
    answers = await asked_everywhere(caller)
    assert [(answer.status, answer.error) for answer in answers] == [(200, None)] * 4


async def test_behaviour_16_language_and_user_reach_the_operation(world: World) -> None:
    """At every door: what is made is ada's, and what is refused is refused in her language."""
    ada = world.caller(Scope.WRITE, "ada")
    vi = {"Accept-Language": "vi"}
    missing = TEXTS[Locale.VI]["agent_not_found"]
    refused = await ada.rest("GET", f"/v1/agents/{NOWHERE}", headers=vi)
    assert refused.body["error"] == missing.format(id=NOWHERE)
    body = chat_body("Hello?") | {"model": "goclaw:nobody"}
    refused = await ada.rest("POST", "/v1/chat/completions", body, headers=vi)
    assert refused.body["error"]["message"] == missing.format(id="nobody")
    query = {"query": f'{{ me {{ userId }} agent(id: "{NOWHERE}") {{ id }} }}'}
    both = await ada.rest("POST", "/graphql", query, headers=vi)
    assert both.error is not None
    assert both.error["message"] == missing.format(id=NOWHERE)
    assert both.headers["Content-Language"] == "vi"
    assert (await ada.graphql(ME)).data["me"]["userId"] == "ada"
    sent = {"name": "of-ada", "provider": world.provider.name, "model": "m"}
    made = await ada.rest("POST", "/v1/agents", sent, headers=vi)
    assert made.body["owner_id"] == "ada"


# ------------------------------------------------------------------------- without any token


@pytest.mark.asyncio(loop_scope="function")
async def test_behaviour_9_without_a_token_everybody_is_an_operator(
    open_server: RunningServer, http: aiohttp.ClientSession
) -> None:
    """And the one user `local`, with the rights of one."""
    anyone = Caller(http, open_server.url)
    assert await rights(anyone) == (Role.OPERATOR.name, named(Scope.READ, Scope.WRITE))
    me = (await anyone.graphql(ME)).data["me"]
    assert (me["userId"], me["authentication"], me["isOwner"]) == ("local", "OPEN", False)
    sent = {"name": "p", "provider_type": "openai_compat", "api_key": "sk-1"}
    assert (await anyone.rest("POST", "/v1/providers", sent)).status == 201
    introspected = await anyone.graphql("{ __schema { queryType { name } } }")
    assert introspected.data["__schema"]["queryType"] == {"name": "Query"}


@pytest.mark.asyncio(loop_scope="function")
async def test_behaviour_17_without_a_token_nobody_is_an_administrator(
    open_server: RunningServer, http: aiohttp.ClientSession
) -> None:
    anyone = Caller(http, open_server.url)
    refused = await anyone.rest("GET", "/v1/api-keys")
    assert (refused.status, refused.code) == (403, "scope_missing")
    sent = {"name": "k", "scopes": ["ADMIN"]}
    assert (await anyone.graphql(KEY, input=sent)).code == "scope_missing"


@pytest.mark.asyncio(loop_scope="function")
async def test_behaviour_18_without_a_token_reading_is_answered(
    open_server: RunningServer, http: aiohttp.ClientSession
) -> None:
    anyone = Caller(http, open_server.url)
    for path in ("/v1/agents", "/v1/providers", "/metrics"):
        assert (await anyone.rest("GET", path)).status == 200, path
    assert (await anyone.graphql("{ agents { totalCount } }")).data["agents"]
