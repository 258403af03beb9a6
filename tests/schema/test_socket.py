"""`/graphql` over WebSocket, watched from outside."""

import asyncio
import socket as sockets
from typing import Any

import aiohttp
import orjson
import pytest

from goclaw.resolvers import admission
from goclaw.resolvers.enter import enter
from goclaw.schema import socket
from tests.schema.client import PROTOCOL, Client
from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

EVENTS = """subscription($after: String) {
  events(topics: ["api_key"], after: $after) { cursor kind payload }
}"""
NEW_KEY = """mutation($name: String!, $user: String) {
  createApiKey(input: {name: $name, scopes: [READ], userId: $user}) { secret apiKey { id } }
}"""
REVOKE = "mutation($id: UUID!) { revokeApiKey(input: {id: $id}) { revoked } }"
FOLLOW = """subscription($id: UUID!) { runEvents(runId: $id) {
  __typename
  ... on RunStarted { cursor run { id status } }
  ... on RunText { offset text }
  ... on RunEnded { cursor run { status outputTokens agent { key } } message { role content } }
} }"""
SEND = """mutation($agent: UUID!, $text: String!) {
  sendMessage(input: {agentId: $agent, text: $text}) { id status sessionId }
}"""


async def test_queries_mutations_and_refusals(admin: Client) -> None:
    async with admin.socket() as ws:
        await ws.subscribe("q", "query($n: Int) { agents(first: $n) { nodes { key } } }", n=1)
        nodes = {"data": {"agents": {"nodes": [{"key": "default"}]}}}
        assert await ws.receive() == {"id": "q", "type": "next", "payload": nodes}
        assert await ws.receive() == {"id": "q", "type": "complete"}
        await ws.subscribe("q", NEW_KEY, name="k")
        assert (await ws.receive())["payload"]["data"]["createApiKey"]["secret"]
        assert (await ws.receive())["type"] == "complete"
        await ws.subscribe("bad", "{ nothing }")
        refused = await ws.receive()
        assert (refused["id"], refused["type"]) == ("bad", "error")
        assert refused["payload"][0]["extensions"]["code"] == "graphql_invalid"
        await ws.send(type="ping")
        assert await ws.receive() == {"type": "pong"}


async def test_the_credential_may_come_in_the_first_message(admin: Client, nobody: Client) -> None:
    payload = {"authorization": f"Bearer {admin.token}", "x-goclaw-user-id": "ada"}
    async with nobody.socket(payload) as ws:
        await ws.subscribe("1", "{ me { userId role } }")
        me = (await ws.receive())["payload"]["data"]["me"]
        assert me == {"userId": "ada", "role": "ADMIN"}


async def test_how_sockets_are_refused(
    admin: Client, nobody: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = {"type": "connection_init"}
    bad = {"type": "connection_init", "payload": {"Authorization": "Bearer wrong"}}
    ask = {"type": "subscribe", "id": "1", "payload": {"query": "{ me { role } }"}}
    follow = {
        "type": "subscribe",
        "id": "1",
        "payload": {"query": "subscription { events { at } }"},
    }
    long = {"type": "ping", "payload": {"x": "y" * 1024 * 1024}}
    cases: list[tuple[Client, list[Any], int]] = [
        (nobody, [init], 4401),
        (nobody, [bad], 4401),
        (nobody.acting("wrong"), [], 4401),
        (admin, [ask], 4401),
        (admin, [init, init], 4429),
        (admin, [init, follow, follow], 4409),
        (admin, [init, {"type": "nonsense"}], 4400),
        (admin, ["{"], 4400),
        (admin, ["[]"], 4400),
        (admin, [init, {"type": "subscribe", "id": "1"}], 4400),
        (admin, [init, {**ask, "id": 1}], 4400),
        (admin, [init, long], 1009),
    ]
    for client, messages, code in cases:
        async with client.socket(init=False) as ws:
            for message in messages:
                text = message if isinstance(message, str) else orjson.dumps(message).decode()
                await ws.ws.send_str(text)
            assert (await ws.closed())[0] == code, messages
    monkeypatch.setattr(socket, "INIT_TIMEOUT_S", 0.05)
    async with admin.socket(init=False) as ws:
        assert (await ws.closed())[0] == 4408
    async with admin.http.ws_connect(admin.url, headers=admin.headers) as plain:
        message = await plain.receive(timeout=5)
        assert message.data == 4406


async def test_another_user_than_the_key_is_bound_to(admin: Client, nobody: Client) -> None:
    made = await admin.data(NEW_KEY, name="k", user="ada")
    payload = {"Authorization": f"Bearer {made['createApiKey']['secret']}"}
    async with nobody.socket(payload | {"X-GoClaw-User-Id": "bob"}, init=False) as ws:
        await ws.send(type="connection_init", payload=payload | {"X-GoClaw-User-Id": "bob"})
        assert (await ws.closed())[0] == 4403


async def test_other_sites_cannot_connect_without_a_token(
    open_server: RunningServer, http: aiohttp.ClientSession
) -> None:
    client = Client(http, open_server.url, None)
    async with client.socket(headers={"Origin": open_server.url}) as ws:
        await ws.subscribe("1", "{ me { userId } }")
        assert (await ws.receive())["payload"]["data"]["me"]["userId"] == "local"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with client.http.ws_connect(
            client.url, protocols=(PROTOCOL,), headers={"Origin": "http://evil.example"}
        ):
            pass
    assert refused.value.status == 403


async def test_events_are_resumed_after_a_cursor(admin: Client) -> None:
    async with admin.socket() as ws:
        await ws.subscribe("1", EVENTS)
        await asyncio.sleep(0.3)
        await admin.data(NEW_KEY, name="one")
        first = (await ws.receive())["payload"]["data"]["events"]
        assert first["kind"] == "api_key.created"
        assert first["payload"]["name"] == "one"
        await ws.send(type="complete", id="1")
    await admin.data(NEW_KEY, name="two")
    async with admin.socket() as ws:
        await ws.subscribe("1", EVENTS, after=first["cursor"])
        await admin.data(NEW_KEY, name="three")
        names = [
            (await ws.receive())["payload"]["data"]["events"]["payload"]["name"] for _ in range(2)
        ]
        assert names == ["two", "three"]
        await ws.subscribe("2", EVENTS, after="nonsense")
        refused = await ws.receive()
        assert refused["payload"][0]["extensions"] == {"code": "invalid_cursor", "field": "after"}


async def test_a_run_is_followed(
    ada: Client, server: RunningServer, upstream: ScriptedUpstream
) -> None:
    provider = await add_provider(server.services, upstream)
    agent = await add_agent(server.services, provider)
    upstream.reply("One two three four.", deltas=4, every=0.05)
    run = (await ada.data(SEND, agent=str(agent.id), text="Count."))["sendMessage"]
    assert run["status"] == "RUNNING"
    async with ada.socket() as ws:
        await ws.subscribe("r", FOLLOW, id=run["id"])
        events = []
        while (message := await ws.receive())["type"] == "next":
            events.append(message["payload"]["data"]["runEvents"])
    assert message == {"id": "r", "type": "complete"}
    assert events[0]["__typename"] == "RunStarted"
    text = ""
    for event in events[1:-1]:
        assert event["offset"] in (0, len(text))
        text = text[: event["offset"]] + event["text"]
    assert text == "One two three four."
    assert events[-1]["run"]["agent"] == {"key": "scribe"}
    assert events[-1]["message"] == {"role": "ASSISTANT", "content": text}


async def test_a_run_of_another_is_not_found(
    ada: Client, server: RunningServer, upstream: ScriptedUpstream
) -> None:
    provider = await add_provider(server.services, upstream)
    agent = await add_agent(server.services, provider)
    run = (await ada.data(SEND, agent=str(agent.id), text="Hello."))["sendMessage"]
    key = (await ada.data(NEW_KEY, name="bob", user="bob"))["createApiKey"]["secret"]
    async with ada.acting(key).socket() as ws:
        await ws.subscribe("r", FOLLOW, id=run["id"])
        message = await ws.receive()
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "run_not_found"


async def test_a_revoked_key_ends_its_sockets(admin: Client) -> None:
    made = (await admin.data(NEW_KEY, name="k", user="ada"))["createApiKey"]
    async with admin.acting(made["secret"]).socket() as ws:
        await ws.subscribe("1", EVENTS)
        await asyncio.sleep(0.1)
        await admin.data(REVOKE, id=made["apiKey"]["id"])
        assert (await ws.closed(5))[0] == 4401


async def test_sockets_of_one_key_share_the_look_up(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "CHECK_S", 0.1)
    made = (await admin.data(NEW_KEY, name="k", user="ada"))["createApiKey"]
    client = admin.acting(made["secret"])
    entered = []

    async def counted(*arguments: Any, **named: Any) -> Any:
        entered.append(arguments)
        return await enter(*arguments, **named)

    monkeypatch.setattr(admission, "enter", counted)
    async with client.socket(), client.socket(), client.socket():
        begun = len(entered)
        await asyncio.sleep(1)
        assert 1 <= len(entered) - begun <= 11


async def test_the_server_stops_with_a_reason(admin: Client, server: RunningServer) -> None:
    async with admin.socket() as ws:
        await ws.subscribe("1", EVENTS)
        await asyncio.sleep(0.2)
        await server.app.stop()
        message = await ws.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "stopping"


async def test_an_id_used_again_belongs_to_the_newer_operation(
    admin: Client, server: RunningServer
) -> None:
    async with admin.socket() as ws:
        await ws.subscribe("1", EVENTS)
        await ws.send(type="complete", id="1")
        await ws.subscribe("1", EVENTS)
        await asyncio.sleep(0.3)
        await ws.send(type="complete", id="1")
        await ws.subscribe("2", EVENTS)
        await asyncio.sleep(0.3)
        await admin.data(NEW_KEY, name="heard once")
        assert (await ws.receive())["id"] == "2"
        assert server.services.hub.figures()["subscriptions"] == 1
        await ws.subscribe("2", EVENTS)
        assert (await ws.closed())[0] == 4409


async def test_limits_and_keep_alive(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "MAX_OPERATIONS", 2)
    monkeypatch.setattr(socket, "KEEP_ALIVE_S", 0.3)
    async with admin.socket() as ws:
        for id in "123":
            await ws.subscribe(id, EVENTS)
        refused = await ws.receive()
        assert refused["id"] == "3"
        assert refused["payload"][0]["extensions"]["code"] == "too_many_subscriptions"
        assert await ws.receive() == {"type": "ping"}
        await ws.send(type="complete", id="1")
        await ws.subscribe("4", "{ me { role } }")
        assert (await ws.receive())["id"] == "4"


def small_window(address: Any) -> sockets.socket:
    family, kind, protocol = address[:3]
    made = sockets.socket(family, kind, protocol)
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    return made


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[tuple[socket.Socket, int]]":
    """Sockets that the server has done with, and the codes it closed them with."""
    queue: asyncio.Queue[tuple[socket.Socket, int]] = asyncio.Queue()
    run, close = socket.Socket.run, socket.Socket._close
    codes: dict[socket.Socket, int] = {}

    async def noted_close(self: socket.Socket, closed: socket.Closed) -> None:
        codes[self] = closed.code
        await close(self, closed)

    async def noted_run(self: socket.Socket, refusal: socket.Closed | None) -> None:
        await run(self, refusal)
        queue.put_nowait((self, codes[self]))

    monkeypatch.setattr(socket.Socket, "_close", noted_close)
    monkeypatch.setattr(socket.Socket, "run", noted_run)
    return queue


async def test_a_client_that_does_not_read_is_closed(
    admin: Client,
    server: RunningServer,
    ended: "asyncio.Queue[tuple[socket.Socket, int]]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And its operations are ended by the time, though it has not read a word of that."""
    monkeypatch.setattr(socket, "SEND_TIMEOUT_S", 0.3)
    found = await admin.data('{ agent(key: "default") { id } }')
    prompt = "x" * 100_000
    update = "mutation($i: UpdateAgentInput!) { updateAgent(input: $i) { key } }"
    await admin.data(update, i={"id": found["agent"]["id"], "systemPrompt": prompt})
    big = (
        "{ " + " ".join(f'a{i}: agent(key: "default") {{ systemPrompt }}' for i in range(20)) + " }"
    )
    slow = aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=small_window))
    async with slow, Client(slow, server.url, server.token).socket() as ws:
        for index in range(20):
            await ws.subscribe(str(index), big)
        async with asyncio.timeout(60):
            closed, code = await ended.get()
        assert code == 1013
        assert not closed._operations
        assert len(server.services.sockets) == 0
        heard, _ = await ws.closed(60)
        assert heard in (1013, 1006)
