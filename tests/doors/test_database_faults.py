"""The database goes away, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from string import Template
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from goclaw.core.callers import Scope, system_caller
from goclaw.store import pulse
from goclaw.store.connections import COMMAND_TIMEOUT_S
from tests.doors.calling import FOLLOW_RUN, SEND, Answer, Caller, Following
from tests.doors.conftest import host_for
from tests.doors.postgres_proxy import PostgresProxy
from tests.doors.world import World, opened_world
from tests.support.databases import Databases
from tests.support.server import running_server
from tests.upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "subscription ($after: String) { events(after: $after) { kind payload } }"
RENAME = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { displayName } }"


@dataclass(frozen=True, slots=True)
class Shaky:
    """`direct` leads past the proxy."""

    world: World
    proxy: PostgresProxy
    direct: str

    async def recovered(self) -> None:
        """As soon as `/readyz` says so, all doors are to work."""
        await self.proxy.back()
        nobody = self.world.caller(None, None)
        async with asyncio.timeout(10):
            while (await nobody.rest("GET", "/readyz")).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def run_of(self, run_id: str) -> Any:
        """Past the proxy; waits for its end."""
        connection = await asyncpg.connect(self.direct)
        try:
            for _ in range(400):
                row = await connection.fetchrow(RUN, run_id)
                if row["status"] != "running":
                    return row
                await asyncio.sleep(0.05)
        finally:
            await connection.close()
        raise TimeoutError("the run goes on")


RUN = """
    select status, error_code, output_tokens, (
        select content from messages where run_id = runs.id and role = 'assistant'
    ) as answer, (
        select count(*) from events where topic = 'run:' || runs.id and kind = 'run.ended'
    ) as ends, (
        select lease_run_id from sessions where id = runs.session_id
    ) as lease
    from runs where id = $1::uuid
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shaky_world(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shaky]:
    async with (
        databases.lent() as direct,
        ScriptedUpstream() as upstream,
        PostgresProxy(direct) as proxy,
    ):
        host = host_for(proxy.dsn, upstream, tmp_path_factory.mktemp("shaky"))
        async with running_server(host) as server, opened_world(server, upstream) as world:
            yield Shaky(world, proxy, direct)
            await proxy.back()


@pytest_asyncio.fixture(loop_scope="module")
async def shaky(shaky_world: Shaky) -> AsyncIterator[Shaky]:
    await shaky_world.world.recent()
    yield shaky_world
    await shaky_world.recovered()


def assert_away(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "database_unavailable"), answer.text
    assert int(answer.headers["Retry-After"]) > 0


REST = (
    ("GET", "/v1/agents", None),
    ("GET", "/v1/models", None),
    ("POST", "/v1/agents", {"name": "late", "model": "m"}),
    ("PUT", "/v1/agents/$agent", {"display_name": "Late"}),
    ("DELETE", "/v1/agents/$agent", None),
    ("POST", "/v1/agents/$agent/wake", {"message": "Wake up."}),
    ("GET", "/v1/providers/$provider/models", None),
    ("GET", "/v1/traces", None),
    ("GET", "/v1/costs/summary", None),
    ("GET", "/v1/usage/timeseries", None),
    ("GET", "/v1/usage/summary", None),
    ("GET", "/v1/activity", None),
    ("POST", "/v1/api-keys", {"name": "late", "scopes": ["operator.read"]}),
    ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello?"}]}),
    (
        "POST",
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": "Hello?"}], "stream": True},
    ),
)


@pytest.mark.parametrize("by", ["key", "token"])
async def test_every_door_says_so_and_works_again_by_itself(shaky: Shaky, by: str) -> None:
    world = shaky.world
    rows = await world.fresh()
    caller = world.caller(Scope.ADMIN) if by == "key" else world.root("ada")
    shaky.proxy.away()
    for method, path, body in REST:
        assert_away(await caller.rest(method, Template(path).substitute(rows), body))
    queries = [
        await caller.graphql("{ agents { nodes { id } } sessions { totalCount } }"),
        await caller.graphql(RENAME, input={"id": rows["agent"], "displayName": "Late"}),
        await caller.graphql(SEND, input={"agentId": rows["agent"], "text": "Hello?"}),
    ]
    for answer in queries:
        if by == "key":
            assert_away(answer)
            continue
        assert answer.status == 200, answer.text
        for error in answer.body["errors"]:
            assert error["extensions"]["code"] == "database_unavailable"
            assert error["extensions"]["retryAfterS"] > 0
    nobody = world.caller(None, None)
    ready = await nobody.rest("GET", "/readyz")
    assert (ready.status, int(ready.headers["Retry-After"]) > 0) == (503, True)
    assert (await nobody.rest("GET", "/livez")).status == 200
    health = await nobody.rest("GET", "/health")
    assert (health.status, health.body["database"]) == (200, "unavailable")

    await shaky.recovered()
    assert (await nobody.rest("GET", "/health")).body["database"] == "ok"
    assert (await caller.chat()).status == 200
    renamed = await caller.graphql(RENAME, input={"id": rows["agent"], "displayName": "Back"})
    assert renamed.data["updateAgent"]["displayName"] == "Back"
    assert not world.upstream._queue


@pytest.mark.parametrize("by", ["key", "token"])
async def test_every_new_call_is_told_of_a_database_that_is_frozen(
    shaky: Shaky, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes nothing and answers nobody: whoever calls does not wait for its return."""
    for pause in ("PATIENCE_S", "ANSWER_S", "LOOK_S"):
        monkeypatch.setattr(pulse, pause, 0.2)
    world = shaky.world
    rows = await world.fresh()
    caller = world.caller(Scope.ADMIN) if by == "key" else world.root("ada")
    shaky.proxy.freeze()
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S - 5):
            answers = await asyncio.gather(
                *(
                    caller.rest(method, Template(path).substitute(rows), body)
                    for method, path, body in REST
                )
            )
            ready = await world.caller(None, None).rest("GET", "/readyz")
    finally:
        shaky.proxy.thaw()
    for answer in answers:
        assert_away(answer)
    assert ready.status == 503
    await shaky.recovered()
    assert (await caller.chat()).status == 200


async def test_a_slow_statement_is_waited_for(
    shaky: Shaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("PATIENCE_S", "LOOK_S"):
        monkeypatch.setattr(pulse, pause, 0.05)
    services = shaky.world.services
    slow = "select pg_sleep(0.5)"
    reads = services.database.reads(system_caller())
    assert len(await reads.records(slow, ())) == 1
    async with services.database.begin(system_caller()) as db:
        assert len((await (await db.connection()).execute(text(slow))).all()) == 1


async def test_connections_that_broke_unseen_are_no_ones_concern(shaky: Shaky) -> None:
    """Nobody called while it was away: the first write afterwards works all the same."""
    caller, rows = shaky.world.root("ada"), await shaky.world.fresh()
    sent = {"id": rows["agent"], "displayName": "Before"}
    assert (await caller.graphql(RENAME, input=sent)).error is None
    for again in range(3):
        shaky.proxy.away()
        await asyncio.sleep(0.05)
        await shaky.proxy.back()
        renamed = await caller.graphql(RENAME, input=sent | {"displayName": f"After {again}"})
        assert renamed.error is None, renamed.text
        assert (await caller.chat()).status == 200


async def test_a_stream_goes_on_and_its_end_is_committed_later(shaky: Shaky) -> None:
    caller = shaky.world.caller(Scope.WRITE)
    text = "word " * 20
    shaky.world.upstream.reply(text, deltas=20, every=0.03)
    async with caller.chat_stream() as stream:
        await stream.text()
        run_id = stream.response.headers["X-GoClaw-Run-Id"]
        shaky.proxy.away()
        events = await stream.rest()
    assert events[-1] is None, events[-1]
    assert all("error" not in event for event in events[:-1])
    await asyncio.sleep(1)
    await shaky.proxy.back()
    run = await shaky.run_of(run_id)
    assert (run["status"], run["answer"], run["ends"]) == ("completed", text, 1)
    assert run["lease"] is None
    assert run["output_tokens"] > 0
    await shaky.recovered()
    await shaky.world.settle()
    trace = await shaky.world.root("ada").graphql(
        "query ($id: UUID!) { run(id: $id) { trace { status spans { status } } } }", id=run_id
    )
    told = trace.data["run"]["trace"]
    assert (told["status"], len(told["spans"])) == ("COMPLETED", 2)


async def test_an_answer_is_given_although_its_end_cannot_be_committed(shaky: Shaky) -> None:
    caller, upstream = shaky.world.caller(Scope.WRITE), shaky.world.upstream
    upstream.reply("Here I am.", head_after=0.3)
    asked = len(upstream.requests)
    calling = asyncio.create_task(caller.chat())
    await upstream.until(lambda: len(upstream.requests) > asked)
    shaky.proxy.away()
    answer = await calling
    assert answer.body["choices"][0]["message"]["content"] == "Here I am."
    await shaky.proxy.back()
    run = await shaky.run_of(answer.headers["X-GoClaw-Run-Id"])
    assert (run["status"], run["answer"], run["ends"]) == ("completed", "Here I am.", 1)


async def test_whoever_follows_a_run_is_told_its_end_when_it_is_back(shaky: Shaky) -> None:
    caller, rows = shaky.world.caller(Scope.WRITE), await shaky.world.fresh()
    text = "word " * 20
    shaky.world.upstream.reply(text, deltas=20, every=0.03)
    sent = await caller.graphql(SEND, input={"agentId": rows["agent"], "text": "Talk."})
    async with caller.follow(FOLLOW_RUN, id=sent.data["sendMessage"]["id"]) as events:
        assert (await events.next())["runEvents"]["__typename"] == "RunStarted"
        first = (await events.next())["runEvents"]["text"]
        shaky.proxy.away()
        await asyncio.sleep(1.5)
        await shaky.proxy.back()
        text_left = first
        while (event := (await events.next(15))["runEvents"])["__typename"] == "RunText":
            assert event["offset"] == len(text_left)
            text_left += event["text"]
    assert text_left == text
    assert event["__typename"] == "RunEnded"
    assert (event["run"]["status"], event["message"]) == ("COMPLETED", {"content": text})


async def test_a_subscription_loses_nothing_of_what_came_meanwhile(shaky: Shaky) -> None:
    """Its worker was cut off while others went on writing."""
    world = shaky.world
    cursor = await world.services.hub.head()
    async with world.root().follow(EVENTS, after=cursor) as events:
        await world.fresh()
        while (await events.next())["events"]["kind"] != "run.ended":
            pass
        shaky.proxy.away()
        connection = await asyncpg.connect(shaky.direct)
        for number in range(10):
            await connection.execute(WRITE_EVENT, f"away {number}")
        await connection.close()
        await asyncio.sleep(0.5)
        await shaky.proxy.back()
        told = await numbers(events, "away", 10)
    assert told == [f"away {number}" for number in range(10)]


async def numbers(events: Following, prefix: str, count: int) -> list[str]:
    """Events of one test; a cursor of now may lie a little before that."""
    told: list[str] = []
    while len(told) < count:
        number = (await events.next())["events"]["payload"].get("number", "")
        if number.startswith(prefix):
            told.append(number)
    return told


WRITE_EVENT = """
    insert into events (id, topic, kind, audience, payload)
    values (gen_random_uuid(), 'provider', 'provider.changed', 'all',
        jsonb_build_object('number', $1::text))
"""
LISTENERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where application_name = 'goclaw listen' and datname = current_database()"
)


async def kill_listeners(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """As soon as there are some: those killed before need a moment to come back."""
    async with asyncio.timeout(10):
        while not await connection.fetch(LISTENERS):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def test_a_killed_listener_loses_nothing(shaky: Shaky) -> None:
    world = shaky.world
    cursor = await world.services.hub.head()
    connection = await asyncpg.connect(shaky.direct)
    async with world.root().follow(EVENTS, after=cursor) as events:
        for number in range(30):
            if number in (10, 20):
                await kill_listeners(connection)
            await connection.execute(WRITE_EVENT, f"killed {number}")
            if number == 10:
                await asyncio.sleep(1)
        told = await numbers(events, "killed", 30)
    await connection.close()
    assert told == [f"killed {number}" for number in range(30)]


async def test_a_socket_outlives_a_short_outage(shaky: Shaky) -> None:
    caller = shaky.world.caller(Scope.READ)
    async with caller.socket() as socket:
        shaky.proxy.away()
        await asyncio.sleep(1.5)
        await socket.subscribe("1", "{ agents { totalCount } }")
        message = await socket.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "database_unavailable", message
        await shaky.recovered()
        await socket.subscribe("2", "{ agents { totalCount } }")
        while (message := await socket.receive())["id"] != "2":
            pass
        assert message["payload"]["data"]["agents"]["totalCount"] > 0, message


async def test_a_new_socket_is_turned_away_while_it_is_away(shaky: Shaky) -> None:
    caller = Caller(shaky.world.http, shaky.world.server.url, shaky.world.tokens[Scope.READ], "ada")
    shaky.proxy.away()
    async with caller.http.ws_connect(
        f"{caller.url}/graphql", protocols=("graphql-transport-ws",), headers=caller.headers
    ) as socket:
        message = await socket.receive()
    assert message.data == 1013
