"""The routes of the table through a running server."""

import gzip
import json
from typing import Any

import httpx2
import pytest

from goclaw.core.callers import Scope
from goclaw.models.api_keys import ApiKeyCreate
from goclaw.resolvers.api_keys import create_api_key
from goclaw.rest_compat.routes import ROUTES
from tests.support.callers import context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

Client = httpx2.AsyncClient


async def key_for(server: RunningServer, *scopes: Scope, user_id: str | None = None) -> str:
    ctx = context(server.services, "root", Scope.ADMIN)
    data = ApiKeyCreate(name="test", scopes=list(scopes), user_id=user_id)
    return (await create_api_key(ctx, data)).key


async def test_health_needs_nobody(server: RunningServer) -> None:
    async with Client(base_url=server.url) as anybody:
        body = (await anybody.get("/health")).json()
        assert (body["status"], body["protocol"], body["mode"]) == ("ok", 3, "managed")
        assert body["database"] == "ok"
        assert isinstance(body["uptime_ms"], int)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_who_may_call(server: RunningServer, route: Any) -> None:
    path = route.path.replace("{id}", "nobody").replace("{userID}", "eve")
    path = path.replace("{traceID}", "0199c0de-0000-7000-8000-000000000001")
    pairing = await key_for(server, Scope.PAIRING, user_id="ada")
    wrong_scope = {"Authorization": f"Bearer {pairing}"}
    async with Client(base_url=server.url) as anybody:
        nobody = await anybody.request(route.method, path)
        weak = await anybody.request(route.method, path, headers=wrong_scope)
    if route.anonymous:
        assert (nobody.status_code, weak.status_code) == (200, 200)
    else:
        assert nobody.status_code == 401
        assert nobody.headers["www-authenticate"] == "Bearer"
        if route.operation.scope is None:
            assert weak.status_code in (200, 201)
            return
        assert weak.status_code == 403
        assert weak.headers["content-type"] == "application/json"


async def test_agents(client: Client, scribe: str) -> None:
    sent = {"name": "clerk", "provider": "scripted", "model": "m", "system_prompt": "Write."}
    made = await client.post("/v1/agents", json=sent)
    assert made.status_code == 201
    record = made.json()
    assert (record["agent_key"], record["name"], record["provider"]) == (
        "clerk",
        "clerk",
        "scripted",
    )
    assert record["created_at"].endswith("Z")
    assert record["owner_id"] == "ada"
    assert "provider_id" not in record

    by_id = (await client.get(f"/v1/agents/{record['id']}")).json()
    assert (await client.get("/v1/agents/clerk")).json() == by_id

    listed = (await client.get("/v1/agents?search=cle")).json()
    assert [row["agent_key"] for row in listed["agents"]] == ["clerk"]
    assert listed["next_cursor"] is None

    changed = await client.put("/v1/agents/clerk", json={"display_name": "Clerk"})
    assert (changed.json()["ok"], changed.json()["display_name"]) == ("true", "Clerk")
    whole = await client.put("/v1/agents/clerk", json=changed.json() | {"workspace": "/x"})
    assert whole.status_code == 200
    cleared = await client.put("/v1/agents/clerk", json={"display_name": None})
    assert cleared.json()["display_name"] is None
    unknown = await client.put("/v1/agents/clerk", json={"colour": "red"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_field")
    renamed = await client.put(f"/v1/agents/{record['id']}", json={"agent_key": "scribe"})
    assert (renamed.status_code, renamed.json()["field"]) == (409, "agent_key")

    assert (await client.delete("/v1/agents/clerk")).json() == {"ok": "true"}
    gone = await client.get("/v1/agents/clerk")
    assert (gone.status_code, gone.json()["code"]) == (404, "agent_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"name": "a", "agent_key": "b"}, 400, "invalid_input", "agent_key"),
        ({"name": "Not A Slug"}, 400, "invalid_input", "name"),
        ({}, 400, "required", "agent_key"),
        ({"name": "scribe"}, 409, "agent_key_taken", "name"),
        ({"name": "a", "provider": "nobody", "model": "m"}, 404, "provider_not_found", "provider"),
    ],
)
async def test_agents_that_cannot_be(
    client: Client, scribe: str, body: Any, status: int, code: str, field: str
) -> None:
    answer = await client.post("/v1/agents", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field"] == field


async def test_another_users_agent(server: RunningServer, client: Client, scribe: str) -> None:
    eve = {"Authorization": f"Bearer {await key_for(server, Scope.WRITE, user_id='eve')}",
           "X-GoClaw-User-Id": "eve"}  # fmt: skip
    assert (await client.get("/v1/agents/scribe", headers=eve)).status_code == 404
    assert (await client.put("/v1/agents/scribe", json={}, headers=eve)).status_code == 404
    shared = await client.post("/v1/agents/scribe/shares", json={"user_id": "eve"})
    assert (shared.status_code, shared.json()) == (201, {"ok": "true"})
    [share] = (await client.get("/v1/agents/scribe/shares")).json()["shares"]
    assert (share["user_id"], share["role"]) == ("eve", "user")
    assert (await client.get("/v1/agents/scribe", headers=eve)).status_code == 200
    assert (await client.put("/v1/agents/scribe", json={}, headers=eve)).status_code == 403
    assert (await client.delete("/v1/agents/scribe/shares/eve")).json() == {"ok": "true"}
    assert (await client.get("/v1/agents/scribe", headers=eve)).status_code == 404
    other = await client.get("/v1/agents", headers=eve | {"X-GoClaw-User-Id": "ada"})
    assert (other.status_code, other.json()["field"]) == (403, "X-GoClaw-User-Id")


async def test_pages(client: Client, scribe: str) -> None:
    for number in range(3):
        await client.post("/v1/agents", json={"name": f"a{number}"})
    first = (await client.get("/v1/agents?limit=2")).json()
    second = (await client.get(f"/v1/agents?limit=2&cursor={first['next_cursor']}")).json()
    by_offset = (await client.get("/v1/agents?limit=2&offset=2")).json()
    keys = [row["agent_key"] for row in first["agents"]]
    assert keys == ["a2", "a1"]
    assert second["agents"] == by_offset["agents"]
    assert [row["agent_key"] for row in second["agents"]] == ["a0", "scribe"]


async def test_providers_keep_their_key_to_themselves(
    client: Client, upstream: ScriptedUpstream
) -> None:
    sent = {
        "name": "vendor",
        "provider_type": "openai_compat",
        "api_base": upstream.base_url(),
        "api_key": "sk-secret",
    }
    made = await client.post("/v1/providers", json=sent)
    assert (made.status_code, made.json()["api_key"]) == (201, "***")
    assert made.json()["enabled"] is True
    listed = await client.get("/v1/providers")
    assert "sk-secret" not in made.text + listed.text
    assert (await client.get("/v1/providers/vendor/models")).json()["models"] == [
        {"id": "scripted-small", "name": "scripted-small"},
        {"id": "scripted-large", "name": "scripted-large"},
    ]
    for key in ("***", ""):
        kept = await client.put("/v1/providers/vendor", json={"api_key": key, "display_name": "V"})
        assert (kept.json()["status"], kept.json()["api_key"]) == ("updated", "***")
    whole = await client.put("/v1/providers/vendor", json=kept.json())
    assert whole.status_code == 200
    await client.get("/v1/providers/vendor/models")
    verified = await client.post("/v1/providers/vendor/verify", json={"model": "m"})
    assert verified.json()["valid"] is True
    assert upstream.requests[-1].headers["authorization"] == "Bearer sk-secret"

    moved = await client.put(
        "/v1/providers/vendor", json={"api_base": f"{upstream.base_url()}/other"}
    )
    assert (moved.status_code, moved.json()["code"]) == (400, "provider_key_required")
    refused = await client.post(
        "/v1/providers",
        json={"name": "bad", "provider_type": "groq", "api_base": "http://169.254.169.254/"},
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "host_refused")
    assert (await client.delete("/v1/providers/vendor")).json() == {"status": "deleted"}
    assert (await client.get("/v1/providers/vendor")).status_code == 404


async def test_keys(client: Client) -> None:
    made = await client.post("/v1/api-keys", json={"name": "ci", "scopes": ["operator.read"]})
    assert made.status_code == 201
    key = made.json()
    assert key["key"].startswith(f"goclaw_{key['prefix']}")
    listed = await client.get("/v1/api-keys")
    assert [row["name"] for row in listed.json()] == ["ci"]
    assert key["key"] not in listed.text
    as_key = {"Authorization": f"Bearer {key['key']}"}
    assert (await client.get("/v1/agents", headers=as_key)).status_code == 200
    assert (await client.get("/v1/api-keys", headers=as_key)).status_code == 403
    assert (await client.delete(f"/v1/api-keys/{key['id']}")).json() == {"status": "revoked"}
    again = await client.post(f"/v1/api-keys/{key['id']}/revoke")
    assert again.json() == {"status": "revoked"}
    assert (await client.get("/v1/agents", headers=as_key)).status_code == 401
    assert (await client.get("/v1/api-keys")).json()[0]["revoked"] is True
    missing = await client.delete("/v1/api-keys/0199c0de-0000-7000-8000-000000000001")
    assert (missing.status_code, missing.json()["code"]) == (404, "api_key_not_found")


async def test_the_same_key_is_made_once(client: Client) -> None:
    sent = {"name": "ci", "scopes": ["operator.read"]}
    headers = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/api-keys", json=sent, headers=headers)
    second = await client.post("/v1/api-keys", json=sent, headers=headers)
    assert first.json() == second.json()
    other = await client.post("/v1/api-keys", json=sent | {"name": "x"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


async def test_wake(client: Client, upstream: ScriptedUpstream, scribe: str) -> None:
    upstream.reply(text="Awake.")
    woken = (await client.post("/v1/agents/scribe/wake", json={"message": "Up!"})).json()
    assert woken["content"] == "Awake."
    assert woken["usage"] == {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    later = await client.post(
        "/v1/agents/scribe/wake", json={"message": "Up!"}, headers={"Prefer": "respond-async"}
    )
    assert later.status_code == 202
    assert later.json()["run_id"] == later.json()["id"]
    for _ in range(3):
        upstream.fail(500)
    failed = await client.post("/v1/agents/scribe/wake", json={"message": "Up!"})
    assert (failed.status_code, failed.json()["code"]) == (502, "upstream_failed")
    missing = await client.post("/v1/agents/scribe/wake", json={})
    assert (missing.status_code, missing.json()["field"]) == (400, "message")


async def test_traces(server: RunningServer, client: Client, scribe: str) -> None:
    await client.post("/v1/agents/scribe/wake", json={"message": "Up!"})
    await server.services.traces.flush()
    listed = (await client.get("/v1/traces?channel=wake")).json()
    assert (listed["total"], listed["limit"], listed["offset"]) == (1, 50, 0)
    [trace] = listed["traces"]
    assert isinstance(trace["total_cost"], float)
    assert (await client.get("/v1/traces?channel=http")).json()["traces"] == []
    whole = (await client.get(f"/v1/traces/{trace['id']}")).json()
    assert whole["trace"] == trace
    assert [span["span_type"] for span in whole["spans"]] == ["agent", "llm_call"]
    assert [message["role"] for message in whole["messages"]] == ["user", "assistant"]

    export = await client.get(f"/v1/traces/{trace['id']}/export")
    assert export.headers["content-type"] == "application/gzip"
    assert f'filename="trace-{trace["id"][:8]}-' in export.headers["content-disposition"]
    kept = json.loads(gzip.decompress(export.content))
    assert (kept["trace"], kept["spans"]) == (whole["trace"], whole["spans"])
    assert kept["exported_at"].endswith("Z")

    [row] = (await client.get("/v1/costs/summary")).json()["rows"]
    assert (row["trace_count"], row["total_input_tokens"]) == (1, 12)
    future = (await client.get("/v1/costs/summary?from=2999-01-01T00:00:00Z")).json()
    assert future == {"rows": []}
    eve = {"X-GoClaw-User-Id": "eve"}
    assert (await client.get(f"/v1/traces/{trace['id']}", headers=eve)).status_code == 404


async def test_activity(client: Client, scribe: str) -> None:
    await client.put("/v1/agents/scribe", json={"display_name": "S"})
    body = (await client.get("/v1/activity?action=agent.updated")).json()
    assert body["total"] == 1
    [row] = body["logs"]
    assert (row["actor_id"], row["entity_type"], row["ip_address"]) == ("ada", "agent", "127.0.0.1")


async def test_documentation(server: RunningServer) -> None:
    async with Client(base_url=server.url) as anybody:
        document = await anybody.get("/v1/openapi.json")
        assert document.headers["access-control-allow-origin"] == "*"
        assert "/v1/agents" in document.json()["paths"]
        page = await anybody.get("/docs")
        assert "<script" not in page.text
        assert "http://" not in page.text.replace("http://127.0.0.1:18790", "")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert (await anybody.get("/docs/style.css")).headers["content-type"].startswith("text/css")


async def test_an_open_server_checks_where_a_request_comes_from(
    open_server: RunningServer,
) -> None:
    async with Client(base_url=open_server.url) as anybody:
        assert (await anybody.get("/v1/agents")).status_code == 200
        assert (await anybody.get("/v1/api-keys")).status_code == 403
        for headers in ({"Origin": "http://evil.example"}, {"Host": "rebound.example"}):
            answer = await anybody.get("/v1/agents", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")
