"""What is wrong with a request is told by status, code and field, at the door it came in by."""

from io import BytesIO
from typing import Any

import asyncpg
import pytest

from goclaw.core.callers import Scope
from tests.doors.calling import FOLLOW_RUN, SEND, Caller
from tests.doors.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
MESSAGE = {"role": "user", "content": "Hello?"}
BROKEN = [b"{", b"", b"{'a': 1}", b'"text"', b"[1]", b"null", b"\xff\xfe", b'{"a": NaN}']

NOBODYS = "7f3f2a52-5b0c-4c6e-9a53-0b6d3c1e8f10"
"""The id of no row; the same in every process, as it stands in the names of tests."""


@pytest.fixture
def ada(world: World) -> Caller:
    return world.caller(Scope.WRITE)


@pytest.mark.parametrize("raw", BROKEN, ids=repr)
@pytest.mark.parametrize(
    "path", [CHAT, "/v1/agents", "/v1/agents/scribe/wake", "/graphql"], ids=str
)
async def test_a_body_that_is_no_object(world: World, ada: Caller, path: str, raw: bytes) -> None:
    before = await world.digest()
    answer = await ada.rest("POST", path, raw=raw)
    assert answer.status == 400, answer.text
    assert answer.code in ("invalid_json", "invalid_input", "batch_refused"), answer.text
    assert await world.digest() == before


async def test_a_body_nested_too_deep(ada: Caller) -> None:
    raw = b'{"messages":' + b"[" * 5000 + b"]" * 5000 + b"}"
    for path in (CHAT, "/v1/agents"):
        answer = await ada.rest("POST", path, raw=raw)
        assert (answer.status, answer.code) == (400, "invalid_json"), answer.text


@pytest.mark.parametrize("path", [CHAT, "/v1/agents", "/graphql"])
async def test_a_body_of_another_type(ada: Caller, path: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await ada.rest("POST", path, raw=b"a=1", headers=headers)
    assert (answer.status, answer.code) == (415, "unsupported_media"), answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": "Hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
        ({"messages": [{"role": "king", "content": "a"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "a\x00"}]}, "messages.0.content"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages.0.tool_call_id"),
        ({"messages": [MESSAGE], "temperature": 3}, "temperature"),
        ({"messages": [MESSAGE], "temperature": "hot"}, "temperature"),
        ({"messages": [MESSAGE], "max_tokens": 0}, "max_tokens"),
        ({"messages": [MESSAGE], "n": 2}, "n"),
        ({"messages": [MESSAGE], "stream": "yes please"}, "stream"),
        ({"messages": [MESSAGE], "user": "u" * 300}, "user"),
        ({"messages": [MESSAGE], "tools": [{"type": "function"}]}, "tools.0"),
        ({"messages": [MESSAGE], "tools": [{"function": {"name": ""}}]}, "tools.0"),
        ({"messages": [MESSAGE], "tools": [{"function": {"name": "f", "parameters": 1}}]}, "tools"),
        ({"messages": [MESSAGE], "tool_choice": {"type": "function"}}, "tool_choice"),
        ({"messages": [MESSAGE], "response_format": {"type": "json_schema"}}, "response_format"),
        ({"messages": [MESSAGE], "reasoning_effort": "utmost"}, "reasoning_effort"),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_chat_names_the_field(
    world: World, ada: Caller, body: dict[str, Any], field: str, stream: bool
) -> None:
    before = await world.digest()
    sent = {"model": "goclaw:scribe", **({"stream": True} if stream else {}), **body}
    answer = await ada.rest("POST", CHAT, sent)
    assert answer.status == 400, answer.text
    error = answer.body["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"].startswith(field), error
    assert error["message"]
    assert await world.digest() == before


@pytest.mark.parametrize(
    "model", ["goclaw:nobody", "agent:nobody", f"goclaw:{NOBODYS}", "goclaw:", "agent:\x00"]
)
async def test_chat_with_an_agent_that_is_not_there(ada: Caller, model: str) -> None:
    answer = await ada.chat(model=model)
    assert answer.status in (400, 404), answer.text
    assert answer.code in ("agent_not_found", "invalid_input")
    assert (answer.status == 404) == ("\x00" not in model)


async def test_chat_with_an_agent_that_is_switched_off(world: World, ada: Caller) -> None:
    rows = await world.fresh()
    off = await ada.rest("PUT", f"/v1/agents/{rows['agent']}", {"status": "inactive"})
    assert off.status == 200, off.text
    answer = await ada.chat(model=f"goclaw:{rows['agent_key']}")
    assert (answer.status, answer.code) == (404, "agent_inactive"), answer.text


async def test_chat_leaves_unknown_fields_alone(ada: Caller) -> None:
    answer = await ada.chat(store=True, service_tier="auto", anything={"goes": [1]})
    assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/v1/agents", {"name": "Not A Slug"}, "name"),
        ("POST", "/v1/agents", {"name": NOBODYS}, "name"),
        ("POST", "/v1/agents", {"name": "a", "agent_key": "b"}, "agent_key"),
        ("POST", "/v1/agents", {}, "agent_key"),
        ("POST", "/v1/agents", {"name": "a", "context_window": -1}, "context_window"),
        ("POST", "/v1/agents", {"name": "a", "context_window": 2**40}, "context_window"),
        ("POST", "/v1/agents", {"name": "a", "description": "\x00"}, "description"),
        ("PUT", "/v1/agents/$agent", {"shape": "round"}, "shape"),
        ("PUT", "/v1/agents/$agent", {"status": "asleep"}, "status"),
        ("POST", "/v1/agents/$agent/wake", {"message": ""}, "message"),
        ("POST", "/v1/agents/$agent/wake", {}, "message"),
        ("POST", "/v1/agents/$agent/wake", {"message": 1}, "message"),
        ("POST", "/v1/agents/$agent/shares", {"user_id": ""}, "user_id"),
        ("POST", "/v1/agents/$agent/shares", {"user_id": "eve", "role": "king"}, "role"),
        ("POST", "/v1/providers", {"name": "p", "provider_type": "cow"}, "provider_type"),
        ("PUT", "/v1/providers/$provider", {"api_base": "http://10.0.0.1/v1"}, "api_"),
        ("PUT", "/v1/providers/$provider", {"surprise": 1}, "surprise"),
        ("PUT", "/v1/providers/$provider", {"settings": {"call_timeout_s": 0}}, "settings"),
        ("PUT", "/v1/providers/$provider", {"settings": {"patience": 1}}, "settings"),
        ("PUT", "/v1/agents/$agent", {"other_config": {"thinking_level": "deep"}}, "other_config"),
        ("PUT", "/v1/agents/$agent", {"tools_config": {"profile": "all"}}, "tools_config"),
        ("PUT", "/v1/agents/$agent", {"tools_config": {"deny": ["no_such"]}}, "tools_config"),
        ("POST", "/v1/agents", {"name": "a", "tools_config": {"allow": "edit"}}, "tools_config"),
        ("POST", "/v1/providers/$provider/verify", {}, "model"),
        ("GET", "/v1/traces?limit=0", None, "limit"),
        ("GET", "/v1/traces?limit=a", None, "limit"),
        ("GET", "/v1/traces?offset=10001", None, "offset"),
        ("GET", "/v1/traces?cursor=nowhere", None, "cursor"),
        ("GET", "/v1/traces?agent_id=7", None, "agent_id"),
        ("GET", "/v1/traces?status=tired", None, "status"),
        ("GET", "/v1/traces?limit=1&limit=2", None, "limit"),
        ("GET", "/v1/traces/7", None, "traceID"),
        ("GET", "/v1/costs/summary?from=yesterday", None, "from"),
        ("GET", "/v1/usage/timeseries?from=yesterday", None, "from"),
        ("GET", "/v1/usage/timeseries?to=2026-01-01T00:00:00Z", None, "from"),
        ("GET", "/v1/usage/timeseries?from=2999-01-01T00:00:00Z", None, "from"),
        ("GET", "/v1/usage/timeseries?from=0001-01-01T00:00:00%2B14:00", None, "from"),
        ("GET", "/v1/usage/timeseries?period=1y", None, "period"),
        ("GET", "/v1/usage/timeseries?group_by=minute", None, "group_by"),
        ("GET", "/v1/usage/breakdown?group_by=user", None, "group_by"),
        ("GET", "/v1/usage/breakdown?from=2024-01-01T00:00:00Z", None, "from"),
        ("GET", "/v1/usage/summary?period=", None, "period"),
        ("GET", "/v1/usage/summary?provider=%00", None, "provider"),
    ],
    ids=str,
)
async def test_v1_names_the_field(
    world: World, ada: Caller, method: str, path: str, body: Any, field: str
) -> None:
    rows = await world.recent()
    before = await world.digest()
    for name in ("agent", "provider"):
        path = path.replace(f"${name}", rows[name])
    answer = await ada.rest(method, path, body)
    assert answer.status == 400, answer.text
    assert answer.body["field"].startswith(field), answer.text
    assert await world.digest() == before


@pytest.mark.parametrize(
    ("kind", "sent", "told"),
    [
        ("createAgent", {"key": "Not A Slug"}, "invalid_input"),
        ("createAgent", {"key": "a", "contextWindow": -1}, "invalid_input"),
        ("createAgent", {"key": "a", "shape": "round"}, "graphql_invalid"),
        ("createAgent", {}, "graphql_invalid"),
        ("createAgent", {"key": 7}, "graphql_invalid"),
        (
            "createProvider",
            {"name": "a", "providerType": "GROQ", "settings": {"max_attempts": 99}},
            "invalid_input",
        ),
        ("sendMessage", {"text": ""}, "invalid_input"),
        ("sendMessage", {"text": "a\x00"}, "invalid_input"),
        ("sendMessage", {"text": "a", "agentId": "scribe"}, "graphql_invalid"),
        ("sendMessage", {"text": "a", "agentId": NOBODYS}, "agent_not_found"),
        ("sendMessage", {"text": "a", "sessionId": NOBODYS}, "session_not_found"),
        ("cancelRun", {"runId": "7"}, "graphql_invalid"),
        ("cancelRun", {"runId": NOBODYS}, "run_not_found"),
        ("renameSession", {"id": NOBODYS, "label": ""}, "invalid_input"),
    ],
    ids=str,
)
async def test_graphql_tells_the_code(
    world: World, ada: Caller, kind: str, sent: dict[str, Any], told: str
) -> None:
    before = await world.digest()
    name = kind[0].upper() + kind[1:]
    text = f"mutation ($input: {name}Input!) {{ {kind}(input: $input) {{ id }} }}"
    answer = await ada.graphql(text, input=sent)
    assert answer.status == 200, answer.text
    assert answer.code == told, answer.text
    assert await world.digest() == before


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("{ agents(first: 0) { nodes { id } } }", "invalid_input"),
        ("{ agents(first: 101) { nodes { id } } }", "invalid_input"),
        ('{ agents(after: "nowhere") { nodes { id } } }', "invalid_cursor"),
        ('{ agent(key: "nobody") { id } }', "agent_not_found"),
        ("{ agent { id } }", "invalid_input"),
        ("{ cows { id } }", "graphql_invalid"),
        ("{ agents {", "graphql_syntax"),
        ("subscription { events { kind } }", "subscription_transport"),
    ],
)
async def test_graphql_queries_that_cannot_be_answered(ada: Caller, query: str, told: str) -> None:
    answer = await ada.graphql(query)
    assert answer.code == told, answer.text


async def test_following_a_run_that_is_not_there(ada: Caller) -> None:
    answer = await ada.first(FOLLOW_RUN, id=NOBODYS)
    assert answer.code == "run_not_found", answer.text
    answer = await ada.first('subscription { events(after: "nowhere") { kind } }')
    assert answer.code == "invalid_cursor", answer.text


@pytest.mark.parametrize("told_length", [True, False], ids=["length", "chunked"])
@pytest.mark.parametrize("path", [CHAT, "/v1/agents", "/graphql"])
async def test_a_body_over_the_limit_is_refused_with_the_limit(
    world: World, ada: Caller, path: str, told_length: bool
) -> None:
    limit = world.server.host.settings.max_body_bytes
    if path == "/graphql":
        limit = 1024 * 1024
    piece = b" " * 65_536

    async def pieces() -> Any:
        for _ in range(limit // len(piece) + 1):
            yield piece

    data = BytesIO(piece * (limit // len(piece) + 1)) if told_length else pieces()
    headers = {**ada.headers, "Content-Type": "application/json"}
    async with world.http.post(ada.url + path, data=data, headers=headers) as answer:
        body = await answer.json()
        assert answer.status == 413, body
    assert str(limit) in str(body)
    assert "body_too_large" in str(body)


async def test_a_large_question_within_the_limit_is_stored_whole(world: World, ada: Caller) -> None:
    text = "word " * 180_000
    answer = await ada.chat(text)
    assert answer.status == 200, answer.text[:500]
    connection = await asyncpg.connect(world.server.host.dsn)
    stored = await connection.fetchval(
        "select length(content) from messages where role = 'user' order by id desc limit 1"
    )
    await connection.close()
    assert stored == len(text)


EVERYWHERE = ("/v1/agents", "/v1/models", "/graphql", CHAT, "socket")


async def refused_at(caller: Caller, place: str) -> None:
    """Everywhere the same: 401, and the socket closes."""
    if place == "socket":
        async with caller.http.ws_connect(
            f"{caller.url}/graphql", protocols=("graphql-transport-ws",), headers=caller.headers
        ) as socket:
            message = await socket.receive()
            assert message.data == 4401, message
        return
    if place == CHAT:
        answer = await caller.chat()
    elif place == "/graphql":
        answer = await caller.graphql("{ agents { nodes { id } } }")
    else:
        answer = await caller.rest("GET", place)
    assert (answer.status, answer.code) == (401, "invalid_credential"), answer.text


@pytest.mark.parametrize("place", EVERYWHERE)
async def test_a_key_that_has_expired(world: World, place: str) -> None:
    key_id, token = await world.key(Scope.WRITE, expires_in=3600, user_id="ada")
    caller = Caller(world.http, world.server.url, token)
    assert (await caller.rest("GET", "/v1/agents")).status == 200
    connection = await asyncpg.connect(world.server.host.dsn)
    await connection.execute("update api_keys set expires_at = now() where id = $1", key_id)
    await connection.close()
    world.services.keys.forget(None)  # nobody told it: the clock did not move
    await refused_at(caller, place)


@pytest.mark.parametrize("place", EVERYWHERE)
async def test_a_key_that_was_revoked(world: World, place: str) -> None:
    key_id, token = await world.key(Scope.WRITE, user_id="ada")
    caller = Caller(world.http, world.server.url, token)
    assert (await caller.rest("GET", "/v1/agents")).status == 200
    assert (await world.root().rest("DELETE", f"/v1/api-keys/{key_id}")).status == 200
    await refused_at(caller, place)


async def test_a_revoked_key_loses_its_open_subscription(world: World) -> None:
    key_id, token = await world.key(Scope.READ, user_id="ada")
    caller = Caller(world.http, world.server.url, token)
    async with caller.follow("subscription { events { kind } }") as events:
        assert (await world.root().rest("DELETE", f"/v1/api-keys/{key_id}")).status == 200
        code, reason = await events.socket.closed(5)
    assert (code, "revoked" in reason) == (4401, True)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_methods_that_are_not_allowed_are_told_which_are(ada: Caller, method: str) -> None:
    for path in ("/v1/agents", CHAT, "/graphql"):
        answer = await ada.rest(method, path)
        assert (answer.status, answer.code) == (405, "method_not_allowed"), answer.text
        assert "POST" in answer.headers["Allow"]


async def test_paths_that_are_not_there(ada: Caller) -> None:
    for path in ("/v1/cows", "/v1/agents/scribe/cows", "/v1/chat"):
        answer = await ada.rest("GET", path)
        assert (answer.status, answer.code) == (404, "not_found"), answer.text


async def test_a_busy_session_says_so(world: World, ada: Caller) -> None:
    rows = await world.talking()
    sent = {"sessionId": rows["session"], "text": "And?"}
    assert (await ada.graphql(SEND, input=sent)).code == "session_busy"
    delete = "mutation ($input: DeleteSessionInput!) { deleteSession(input: $input) { id } }"
    refused = await ada.graphql(delete, input={"id": rows["session"]})
    assert refused.code == "session_busy"
    await world.hush()
    assert (await ada.graphql(SEND, input=sent)).error is None
    await world.settle()
