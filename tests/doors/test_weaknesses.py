"""Weaknesses of the older server (docs/security.md) that no other test file is about: each test
bears the number of the one it shows not to hold.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from goclaw.core.callers import Scope
from goclaw.core.settings import InvalidSettings, Settings, refuse_open_address
from tests.doors.calling import FOLLOW_RUN, Caller
from tests.doors.world import World
from tests.support.server import running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "subscription { events { kind } }"
ACTIVITY = "{ activity(first: 100) { nodes { action actorId } } }"


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _quiet(world: World) -> AsyncIterator[None]:
    yield
    await world.hush()


def bearing(world: World, token: str | None, user_id: str | None = None) -> Caller:
    return Caller(world.http, world.server.url, token, user_id)


async def revoked_key(world: World) -> str:
    id, text = await world.key(Scope.WRITE)
    assert (await world.root().rest("DELETE", f"/v1/api-keys/{id}")).status == 200
    return text


async def expired_key(world: World) -> str:
    id, text = await world.key(Scope.WRITE, expires_in=3600)
    connection = await asyncpg.connect(world.server.host.dsn)
    try:
        await connection.execute(
            "update api_keys set expires_at = now() - interval '1 second' where id = $1", id
        )
    finally:
        await connection.close()
    return text


async def wrong_token(_: World) -> str:
    return "not-the-token"


async def unknown_key(_: World) -> str:
    return "goclaw_" + "0" * 32


BAD = pytest.mark.parametrize("credential", [wrong_token, unknown_key, revoked_key, expired_key])


@BAD
async def test_weakness_1_a_bad_credential_opens_no_socket(
    world: World, credential: object
) -> None:
    assert callable(credential)
    caller = bearing(world, await credential(world))
    async with caller._client.socket(init=False) as socket:
        await socket.send(type="connection_init")
        assert (await socket.closed())[0] == 4401
    for answer in (await caller.graphql("{ me { role } }"), await caller.rest("GET", "/v1/agents")):
        assert (answer.status, answer.code) == (401, "invalid_credential"), answer.text


async def test_weakness_2_a_socket_hears_nothing_before_it_signed_in(world: World) -> None:
    nobody = bearing(world, None)
    async with nobody._client.socket(init=False) as socket:
        await world.fresh()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout_s=0.3)
        await socket.send(type="connection_init")
        assert (await socket.closed())[0] == 4401


async def test_weakness_3_events_and_audit_hold_no_secret(world: World) -> None:
    rows = await world.fresh()
    root = world.root()
    secrets = ["sk-first-of-two-keys", "sk-second-of-two-keys"]
    for secret in secrets:
        sent = {"api_key": secret, "settings": {"default_model": "m"}}
        answer = await root.rest("PUT", f"/v1/providers/{rows['provider']}", sent)
        assert answer.status == 200, answer.text
    _, made = await world.key(Scope.READ)
    connection = await asyncpg.connect(world.server.host.dsn)
    try:
        told = await connection.fetchval("select string_agg(payload::text, '') from events")
        noted = await connection.fetchval("select string_agg(details::text, '') from activity_logs")
    finally:
        await connection.close()
    assert rows["provider"] in told
    for secret in (*secrets, made, world.server.token, "k" * 32):
        assert secret not in told + noted


async def test_weakness_4_health_tells_of_no_connection(world: World) -> None:
    async with world.caller(Scope.READ).follow(EVENTS):
        health = await bearing(world, None).rest("GET", "/health")
    assert set(health.body) == {"status", "protocol", "uptime_ms", "mode", "database"}


@pytest.mark.asyncio(loop_scope="function")
async def test_weakness_5_a_look_up_that_fails_lets_nobody_in(small_world: World) -> None:
    """The look-up itself breaks, not the whole database: the table is away."""
    connection = await asyncpg.connect(small_world.server.host.dsn)
    caller = small_world.caller(Scope.READ)
    try:
        await connection.execute("alter table api_keys rename to away")
        refused = await caller.rest("GET", "/v1/agents")
        assert refused.status >= 500, refused.text
        assert "agents" not in (refused.body or {})
        socket = await caller.graphql("{ agents { nodes { key } } }")
        assert "data" not in (socket.body or {}) or socket.body["data"] is None
    finally:
        await connection.execute("alter table away rename to api_keys")
        await connection.close()
    assert (await caller.rest("GET", "/v1/agents")).status == 200


@pytest.mark.parametrize("kind", ["claude_cli", "acp", "stdio", "chatgpt_oauth"])
async def test_weakness_9_no_provider_runs_a_program(world: World, kind: str) -> None:
    before = await world.digest()
    sent = {"name": "shell", "provider_type": kind, "api_base": "/bin/sh"}
    answer = await world.root().rest("POST", "/v1/providers", sent)
    assert (answer.status, answer.code) == (400, "invalid_input"), answer.text
    assert await world.digest() == before


@pytest.mark.parametrize("user", ["ada", "bob"])
async def test_weakness_10_a_new_address_needs_the_key_again(world: World, user: str) -> None:
    rows = await world.fresh()
    before = await world.digest()
    caller = world.caller(Scope.WRITE, user)
    moved = {"api_base": "https://elsewhere.example/v1"}
    answer = await caller.rest("PUT", f"/v1/providers/{rows['provider']}", moved)
    assert (answer.status, answer.code) == (400, "provider_key_required"), answer.text
    assert await world.digest() == before


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/assets/../../pyproject.toml",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/graphql/../../../etc/passwd",
        "/graphql/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2fpyproject.toml",
        "/v1/files/etc/passwd",
    ],
)
async def test_weakness_11_no_path_leads_to_a_file_of_the_host(world: World, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(world.server.url.split(":")[2]))
    token = f"Authorization: Bearer {world.server.token}\r\n"
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}Connection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    assert b"root:" not in answer
    assert b"[project]" not in answer
    assert b" 200 " not in answer.splitlines()[0] or b"<!doctype html>" in answer.lower()


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE, Scope.ADMIN])
async def test_weakness_11_nobody_reads_a_providers_key_back(world: World, scope: Scope) -> None:
    rows = await world.recent()
    caller = world.caller(scope)
    for path in ("/v1/providers", f"/v1/providers/{rows['provider']}"):
        answer = await caller.rest("GET", path)
        assert answer.status == 200
        assert "sk-upstream-secret" not in answer.text
        assert "v1:" not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        "owner_id",
        "deleted_at",
        "id",
        "is_default = true, owner_id",
        "key = 'x' where true; drop table agents; --",
        "x\"; update agents set owner_id = 'bob",
    ],
)
async def test_weakness_12_names_of_json_fields_never_become_sql(world: World, name: str) -> None:
    rows = await world.fresh()
    for path in (f"/v1/agents/{rows['agent']}", f"/v1/providers/{rows['provider']}"):
        answer = await world.caller(Scope.WRITE).rest("PUT", path, {name: "bob"})
        assert answer.status in (200, 400), answer.text
        if answer.status == 400:
            assert answer.code in ("unknown_field", "invalid_input"), answer.text
    agent = (await world.root().rest("GET", f"/v1/agents/{rows['agent']}")).body
    assert (agent["owner_id"], agent["id"], agent["agent_key"]) == (
        "ada",
        rows["agent"],
        rows["agent_key"],
    )
    assert not agent["is_default"]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7", "gateway.example"])
async def test_weakness_14_without_a_token_it_listens_on_loopback_alone(address: str) -> None:
    with pytest.raises(InvalidSettings, match="GOCLAW_GATEWAY_TOKEN"):
        refuse_open_address(Settings(host=address, gateway_token=None))
    refuse_open_address(Settings(host="127.0.0.1", gateway_token=None))


async def test_weakness_14_other_sites_cannot_use_an_open_server(world: World) -> None:
    settings = world.server.host.settings.model_copy(update={"gateway_token": None})
    async with running_server(replace(world.server.host, settings=settings)) as server:
        local = Caller(world.http, server.url)
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            for method, path in (("POST", "/v1/chat/completions"), ("POST", "/graphql")):
                answer = await local.rest(
                    method, path, {"query": "{ me { role } }"}, headers=headers
                )
                assert (answer.status, answer.code) == (403, "origin_refused"), answer.text
        form = {"Content-Type": "text/plain"}
        plain = await local.rest("POST", "/v1/chat/completions", raw=b"{}", headers=form)
        assert plain.status == 415, plain.text


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "key", "authorization"])
async def test_weakness_16_no_credential_is_taken_from_an_address(world: World, name: str) -> None:
    nobody = bearing(world, None)
    for path in ("/v1/agents", "/v1/traces", "/metrics"):
        answer = await nobody.rest("GET", f"{path}?{name}={world.server.token}")
        assert answer.status == 401, answer.text
    answer = await nobody.rest(
        "GET", f"/graphql?query=%7Bme%7Brole%7D%7D&{name}={world.server.token}"
    )
    assert answer.code == "unauthenticated"


async def test_weakness_44_a_session_key_of_another_user_opens_nothing(world: World) -> None:
    """Bob wakes a shared agent with the key of ada's session: he gets one of his own."""
    rows = await world.fresh()
    key = (await world.caller(Scope.READ).graphql(SESSION, id=rows["session"])).data["session"][
        "key"
    ]
    woken = await world.caller(Scope.WRITE, "eve").rest(
        "POST",
        f"/v1/agents/{rows['agent']}/wake",
        {"message": "What was said?", "session_key": key},
    )
    assert woken.status == 200, woken.text
    asked = world.upstream.requests[-1].body["messages"]
    assert rows["question"] not in str(asked)
    theirs = await world.caller(Scope.READ, "eve").graphql(SESSION, id=rows["session"])
    assert theirs.code == "session_not_found"
    run = await world.caller(Scope.READ, "eve").first(FOLLOW_RUN, id=rows["run"])
    assert run.code == "run_not_found"


SESSION = "query ($id: UUID!) { session(id: $id) { key messages { nodes { content } } } }"


@pytest.mark.asyncio(loop_scope="function")
async def test_weakness_49_an_audit_row_is_written_with_its_change_or_not_at_all(
    small_world: World,
) -> None:
    """Nothing is queued: when the row of the audit cannot be written, the change is not."""
    connection = await asyncpg.connect(small_world.server.host.dsn)
    writer = small_world.caller(Scope.WRITE)
    try:
        await connection.execute(
            "alter table activity_logs add constraint closed check (action = '') not valid"
        )
        before = await connection.fetchval("select count(*) from agents")
        sent = {"name": "unaudited", "model": "scripted-1"}
        assert (await writer.rest("POST", "/v1/agents", sent)).status == 500
        assert await connection.fetchval("select count(*) from agents") == before
    finally:
        await connection.execute("alter table activity_logs drop constraint closed")
        await connection.close()


async def test_weakness_49_the_actor_is_the_key_and_not_a_header_alone(world: World) -> None:
    id, text = await world.key(Scope.WRITE, user_id="ada")
    del id
    bound = bearing(world, text, "bob")
    answer = await bound.rest("POST", "/v1/agents", {"name": "forged", "model": "scripted-1"})
    assert (answer.status, answer.code) == (403, "user_not_yours"), answer.text
    told = (await world.root().graphql(ACTIVITY)).data["activity"]["nodes"]
    assert {"action": "agent.created", "actorId": "bob"} not in told
