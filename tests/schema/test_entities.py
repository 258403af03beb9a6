"""Agents, providers, keys and sessions through GraphQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.schema.client import Client
from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream, call

ADD_PROVIDER = "mutation($i: CreateProviderInput!) { createProvider(input: $i) { id hasApiKey } }"
SET_PROVIDER = """mutation($i: UpdateProviderInput!) {
  updateProvider(input: $i) { displayName apiBase hasApiKey enabled }
}"""
ADD_AGENT = """mutation($i: CreateAgentInput!) {
  createAgent(input: $i) { id key model ownerId maxOutputTokens provider { id } otherConfig }
}"""
SET_AGENT = """mutation($i: UpdateAgentInput!) {
  updateAgent(input: $i) { key displayName temperature agentType maxOutputTokens otherConfig }
}"""
SHARE = "mutation($i: ShareAgentInput!) { shareAgent(input: $i) { id userId role grantedBy } }"
UNSHARE = "mutation($i: UnshareAgentInput!) { unshareAgent(input: $i) { id } }"
AGENT = """query($id: UUID, $key: String) {
  agent(id: $id, key: $key) { id key displayName mayEdit shares { userId role } }
}"""
NEW_KEY = """mutation($i: CreateApiKeyInput!) {
  createApiKey(input: $i) { secret apiKey { id name scopes userId expiresAt revoked prefix } }
}"""


@pytest.fixture
async def provider(admin: Client, upstream: ScriptedUpstream) -> str:
    data = {
        "name": "scripted",
        "providerType": "OPENAI_COMPAT",
        "apiBase": upstream.base_url(),
        "apiKey": "sk-very-secret",
    }
    made = (await admin.data(ADD_PROVIDER, i=data))["createProvider"]
    assert made["hasApiKey"] is True
    return str(made["id"])


async def test_a_provider(admin: Client, provider: str, upstream: ScriptedUpstream) -> None:
    async def change(**changes: Any) -> Any:
        return (await admin.data(SET_PROVIDER, i={"id": provider, **changes}))["updateProvider"]

    assert (await change(displayName="Scripted"))["displayName"] == "Scripted"
    assert await change() == {
        "displayName": "Scripted",
        "apiBase": upstream.base_url(),
        "hasApiKey": True,
        "enabled": True,
    }
    assert (await change(displayName=None))["displayName"] is None
    moved = {"id": provider, "apiBase": "https://models.example"}
    error = await admin.error(SET_PROVIDER, i=moved)
    assert (error["code"], error["field"]) == ("provider_key_required", "apiKey")
    assert (await change(apiKey=None))["hasApiKey"] is False
    error = await admin.error(SET_PROVIDER, i={"id": provider, "enabled": None})
    assert (error["code"], error["field"]) == ("invalid_input", "enabled")
    error = await admin.error(
        ADD_PROVIDER, i={"name": "Not A Slug", "providerType": "GROQ", "apiKey": "sk-1"}
    )
    assert (error["code"], error["field"]) == ("invalid_input", "name")
    assert "sk-1" not in error["message"]
    error = await admin.error(ADD_PROVIDER, i={"name": "scripted", "providerType": "GROQ"})
    assert error["code"] == "provider_name_taken"


async def test_a_provider_is_tried(admin: Client, provider: str, upstream: Any) -> None:
    verify = """mutation($i: VerifyProviderInput!) {
      verifyProvider(input: $i) { valid error latencyMs }
    }"""
    asked = {"id": provider, "model": "scripted-1"}
    assert (await admin.data(verify, i=asked))["verifyProvider"]["valid"] is True
    upstream.fail(401)
    refused = (await admin.data(verify, i=asked))["verifyProvider"]
    assert refused["valid"] is False
    assert refused["error"]
    models = "query($id: UUID!) { provider(id: $id) { models { id name } } }"
    listed = (await admin.data(models, id=provider))["provider"]["models"]
    assert [model["id"] for model in listed] == ["scripted-small", "scripted-large"]


async def test_absent_and_null_are_different_changes(ada: Client, provider: str) -> None:
    data = {
        "key": "scribe",
        "providerId": provider,
        "model": "m",
        "displayName": "The scribe",
        "temperature": 0.5,
        "otherConfig": {"a": 1},
    }
    made = (await ada.data(ADD_AGENT, i=data))["createAgent"]
    assert made["ownerId"] == "ada"
    assert made["provider"] == {"id": provider}
    assert made["maxOutputTokens"] == 8192

    async def change(**changes: Any) -> Any:
        return (await ada.data(SET_AGENT, i={"id": made["id"], **changes}))["updateAgent"]

    unchanged = {
        "key": "scribe",
        "displayName": "The scribe",
        "temperature": 0.5,
        "agentType": "OPEN",
        "maxOutputTokens": 8192,
        "otherConfig": {"a": 1},
    }
    assert await change() == unchanged
    assert await change(displayName=None) == unchanged | {"displayName": None}
    assert (await change(agentType="PREDEFINED", maxOutputTokens=5))["agentType"] == "PREDEFINED"
    for field, value in (("maxOutputTokens", 0), ("maxOutputTokens", None), ("key", "UPPER")):
        error = await ada.error(SET_AGENT, i={"id": made["id"], field: value})
        assert (error["code"], error["field"]) == ("invalid_input", field)
    error = await ada.error(SET_AGENT, i={"id": made["id"], "providerId": str(uuid4())})
    assert error["code"] == "provider_not_found"
    assert (await change())["maxOutputTokens"] == 5


PREVIEW = """query($id: UUID!, $prompt: String, $tools: JSON) {
  agent(id: $id) {
    toolsConfig
    preview(systemPrompt: $prompt, toolsConfig: $tools) { systemPrompt tools }
  }
}"""


async def test_what_a_model_would_be_told(ada: Client, provider: str) -> None:
    data = {
        "key": "scribe",
        "providerId": provider,
        "model": "m",
        "systemPrompt": "Be brief.",
        "toolsConfig": {"allow": ["group:fs"], "deny": ["edit"]},
    }
    id = (await ada.data(ADD_AGENT, i=data))["createAgent"]["id"]

    async def preview(**given: Any) -> Any:
        return (await ada.data(PREVIEW, id=id, **given))["agent"]["preview"]

    stored = await preview()
    assert stored["tools"] == ["list_files", "read_file", "write_file"]
    assert stored["systemPrompt"].startswith("Be brief.\n\n# Tools\n")
    assert "- read_file: " in stored["systemPrompt"]
    assert (await preview(prompt="Hurry."))["systemPrompt"].startswith("Hurry.\n\n# Tools\n")
    assert await preview(tools={"profile": "none"}) == {"systemPrompt": "Be brief.", "tools": []}
    error = await ada.error(PREVIEW, id=id, tools={"allow": ["no_such_tool"]})
    assert (error["code"], error["field"]) == ("invalid_input", "toolsConfig")
    assert await preview() == stored

    set_tools = "mutation($i: UpdateAgentInput!) { updateAgent(input: $i) { toolsConfig } }"
    changed = {"id": id, "toolsConfig": {"profile": "minimal"}}
    assert (await ada.data(set_tools, i=changed))["updateAgent"]["toolsConfig"] == {
        "profile": "minimal"
    }
    assert (await preview())["tools"] == ["session_status"]
    error = await ada.error(set_tools, i={"id": id, "toolsConfig": {"deny": "edit"}})
    assert (error["code"], error["field"]) == ("invalid_input", "toolsConfig")
    bob = ada.acting((await key_of(ada, "bob"))["secret"])
    assert (await bob.error(PREVIEW, id=id))["code"] == "agent_not_found"


WAKE = """mutation($i: WakeAgentInput!) {
  wakeAgent(input: $i) { run { session { messages { nodes { role content thinking isError } } } } }
}"""


async def test_runs_and_their_state_in_one_query(
    ada: Client, provider: str, upstream: ScriptedUpstream
) -> None:
    data = {"key": "scribe", "providerId": provider, "model": "m"}
    id = (await ada.data(ADD_AGENT, i=data))["createAgent"]["id"]
    await ada.data(WAKE, i={"agentId": id, "message": "Hello."})
    asked = "{ runsState { stop { id } } runs { nodes { agent { key } session { id } } } }"
    told = await ada.data(asked)
    assert told["runsState"] == {"stop": None}
    assert [run["agent"]["key"] for run in told["runs"]["nodes"]] == ["scribe"]


async def test_thinking_and_failed_tools_are_told(
    ada: Client, provider: str, upstream: ScriptedUpstream
) -> None:
    tools = {"allow": ["read_file"]}
    data = {"key": "scribe", "providerId": provider, "model": "m", "toolsConfig": tools}
    id = (await ada.data(ADD_AGENT, i=data))["createAgent"]["id"]
    upstream.reply(calls=(call("read_file", path="missing.md"),), thinking="Is it there?")
    upstream.reply("It is not.")
    woken = await ada.data(WAKE, i={"agentId": id, "message": "Read it."})
    question, step, result, answer = woken["wakeAgent"]["run"]["session"]["messages"]["nodes"]
    assert (question["role"], question["thinking"], question["isError"]) == ("USER", None, False)
    assert (step["role"], step["thinking"]) == ("ASSISTANT", "Is it there?")
    assert (result["role"], result["thinking"], result["isError"]) == ("TOOL", None, True)
    assert (answer["content"], answer["thinking"]) == ("It is not.", None)


async def test_agents_are_shared(ada: Client, server: RunningServer, upstream: Any) -> None:
    agent = await add_agent(server.services, await add_provider(server.services, upstream))
    id = str(agent.id)
    bob = ada.acting((await key_of(ada, "bob"))["secret"])
    assert (await bob.error(AGENT, id=id))["code"] == "agent_not_found"
    share = await ada.data(SHARE, i={"agentId": id, "userId": "bob"})
    assert share["shareAgent"]["role"] == "USER"
    assert share["shareAgent"]["grantedBy"] == "ada"
    seen = (await bob.data(AGENT, key="scribe"))["agent"]
    assert seen["shares"] == [{"userId": "bob", "role": "USER"}]
    assert seen["mayEdit"] is False
    error = await bob.error(SET_AGENT, i={"id": id, "displayName": "Bob's"})
    assert error["code"] == "agent_not_yours"
    await ada.data(SHARE, i={"agentId": id, "userId": "bob", "role": "ADMIN"})
    assert (await bob.data(AGENT, id=id))["agent"]["mayEdit"] is True
    await bob.data(SET_AGENT, i={"id": id, "displayName": "Bob's"})
    await ada.data(UNSHARE, i={"agentId": id, "userId": "bob"})
    assert (await bob.error(AGENT, id=id))["code"] == "agent_not_found"
    assert (await ada.error(UNSHARE, i={"agentId": id, "userId": "bob"}))["code"] == (
        "share_not_found"
    )
    assert (await ada.error(AGENT))["field"] == "id"
    assert (await ada.error(AGENT, id=id, key="scribe"))["field"] == "id"
    gone = await ada.data("mutation($id: UUID!) { deleteAgent(input: {id: $id}) { id } }", id=id)
    assert gone["deleteAgent"]["id"] == id


async def key_of(client: Client, user: str, *scopes: str, **more: Any) -> Any:
    data = {"name": user, "scopes": scopes or ["WRITE"], "userId": user, **more}
    return (await client.data(NEW_KEY, i=data))["createApiKey"]


async def test_keys(admin: Client) -> None:
    made = await key_of(admin, "bob", "READ", "APPROVALS", expiresInS=3600)
    key = made["apiKey"]
    assert made["secret"].startswith(f"goclaw_{key['prefix']}")
    assert (key["scopes"], key["userId"], key["revoked"]) == (["READ", "APPROVALS"], "bob", False)
    assert key["expiresAt"].endswith("+00:00")
    error = await admin.error(NEW_KEY, i={"name": "x", "scopes": ["READ"], "expiresInS": -1})
    assert (error["code"], error["field"]) == ("invalid_input", "expiresInS")
    error = await admin.error(NEW_KEY, i={"name": "x", "scopes": []})
    assert (error["code"], error["field"]) == ("invalid_input", "scopes")
    one = await key_of(admin, "eve", idempotencyKey="again")
    two = await key_of(admin, "eve", idempotencyKey="again")
    assert one["secret"] == two["secret"]
    assert one["apiKey"]["id"] == two["apiKey"]["id"]
    other = {"name": "x", "scopes": ["READ"], "idempotencyKey": "again"}
    assert (await admin.error(NEW_KEY, i=other))["code"] == "idempotency_mismatch"


async def test_pages(ada: Client, server: RunningServer, upstream: Any) -> None:
    provider = await add_provider(server.services, upstream)
    for number in range(5):
        await add_agent(server.services, provider, f"agent-{number}")
    query = """query($n: Int!, $after: String) {
    agents(first: $n, after: $after, search: "AGENT-") {
      totalCount nodes { key } edges { cursor node { key } } pageInfo { hasNextPage endCursor }
    } }"""
    keys: list[str] = []
    after = None
    more = True
    while more:
        page = (await ada.data(query, n=2, after=after))["agents"]
        assert page["totalCount"] == 5
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        keys += [node["key"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert after == page["edges"][-1]["cursor"]
    assert keys == [f"agent-{number}" for number in (4, 3, 2, 1, 0)]
    error = await ada.error(query, n=2, after="nonsense")
    assert (error["code"], error["field"]) == ("invalid_cursor", "after")


async def test_ids_and_instants_are_checked(admin: Client) -> None:
    _, payload = await admin.post('{ run(id: "nonsense") { id } }')
    assert payload["errors"][0]["extensions"]["code"] == "graphql_invalid"
    costs = "query($f: DateTime) { costs(from: $f) { costUsd } }"
    assert await admin.data(costs, f="2026-11-23T10:00:00+05:30") == {"costs": []}
    for value in ("2026-11-23", "2026-11-23T10:00:00", "yesterday", 5, "0001-01-01T00:00:00+14:00"):
        _, payload = await admin.post(costs, f=value)
        assert payload["errors"][0]["extensions"]["code"] == "graphql_invalid", value


async def test_a_conversation(ada: Client, server: RunningServer, upstream: Any) -> None:
    agent = await add_agent(server.services, await add_provider(server.services, upstream))
    send = """mutation($i: SendMessageInput!) { sendMessage(input: $i) {
      id status session { id } agent { key }
    } }"""
    upstream.reply("First answer.")
    first = (await ada.data(send, i={"agentId": str(agent.id), "text": "One?"}))["sendMessage"]
    assert first["agent"] == {"key": "scribe"}
    session = first["session"]["id"]
    await ended(ada, first["id"])
    upstream.reply("Second answer.")
    again = {"sessionId": session, "text": "Two?", "idempotencyKey": "two"}
    second = (await ada.data(send, i=again))["sendMessage"]
    repeated = (await ada.data(send, i=again))["sendMessage"]
    assert repeated["id"] == second["id"]
    await ended(ada, second["id"])
    messages = """query($id: UUID!, $n: Int!, $before: String) { session(id: $id) {
      label messageCount activeRun { id }
      messages(first: $n, before: $before) {
        nodes { seq role content runId } totalCount pageInfo { hasNextPage endCursor }
      }
    } }"""
    shown = (await ada.data(messages, id=session, n=3))["session"]
    assert shown["messageCount"] == shown["messages"]["totalCount"] == 4
    assert shown["activeRun"] is None
    assert [node["seq"] for node in shown["messages"]["nodes"]] == [2, 3, 4]
    page = shown["messages"]["pageInfo"]
    assert page["hasNextPage"] is True
    older = (await ada.data(messages, id=session, n=3, before=page["endCursor"]))["session"]
    assert [(n["seq"], n["role"], n["content"]) for n in older["messages"]["nodes"]] == [
        (1, "USER", "One?")
    ]
    assert older["messages"]["pageInfo"]["hasNextPage"] is False
    rename = """mutation($id: UUID!, $label: String!) {
      renameSession(input: {id: $id, label: $label}) { label }
    }"""
    renamed = await ada.data(rename, id=session, label="Numbers")
    assert renamed["renameSession"]["label"] == "Numbers"
    assert (await ada.error(rename, id=session, label=""))["field"] == "label"
    exported = await ada.data("query($id: UUID!) { sessionExport(id: $id) }", id=session)
    assert len(exported["sessionExport"]["messages"]) == 4
    remove = "mutation($id: UUID!) { deleteSession(input: {id: $id}) { id } }"
    assert (await ada.data(remove, id=session))["deleteSession"]["id"] == session
    run = "query($id: UUID!) { run(id: $id) { sessionId session { id } agent { key } } }"
    left = (await ada.data(run, id=first["id"]))["run"]
    assert left == {"sessionId": None, "session": None, "agent": {"key": "scribe"}}


async def test_a_trace(ada: Client, server: RunningServer, upstream: Any) -> None:
    agent = await add_agent(server.services, await add_provider(server.services, upstream))
    wake = """mutation($i: WakeAgentInput!) { wakeAgent(input: $i) {
      content run { id status traceId inputTokens }
    } }"""
    upstream.reply("Awake.")
    woken = (await ada.data(wake, i={"agentId": str(agent.id), "message": "Up!"}))["wakeAgent"]
    assert woken["content"] == "Awake."
    assert woken["run"]["status"] == "COMPLETED"
    await server.services.traces.flush()
    trace = """query($id: UUID!) { trace(id: $id) {
      status agent { key } totalInputTokens messages { role content }
      spans { spanType name parentSpanId messages { content } }
    } }"""
    shown = (await ada.data(trace, id=woken["run"]["traceId"]))["trace"]
    assert shown["status"] == "COMPLETED"
    assert [m["content"] for m in shown["messages"]] == ["Up!", "Awake."]
    assert [span["spanType"] for span in shown["spans"]] == ["AGENT", "LLM_CALL"]
    assert [m["content"] for m in shown["spans"][1]["messages"]] == ["Up!", "Awake."]
    costs = (await ada.data("{ costs { traceCount inputTokens costUsd agent { key } } }"))["costs"]
    assert costs[0]["traceCount"] == 1
    assert isinstance(costs[0]["costUsd"], str)
    cancel = "mutation($id: UUID!) { cancelRun(input: {runId: $id}) { status } }"
    ended_run = await ada.data(cancel, id=woken["run"]["id"])
    assert ended_run["cancelRun"]["status"] == "COMPLETED"


async def ended(client: Client, run: str) -> None:
    query = (
        "subscription($id: UUID!) { runEvents(runId: $id) { ... on RunEnded { run { status } } } }"
    )
    async with client.socket() as ws:
        await ws.subscribe("1", query, id=run)
        while (await ws.receive())["type"] == "next":
            pass


async def test_activity(ada: Client, provider: str) -> None:
    data = {"key": "scribe", "providerId": provider, "model": "m"}
    await ada.data(ADD_AGENT, i=data)
    query = """query($action: String) { activity(action: $action) {
      nodes { actorId action entityType entityId ipAddress }
    } }"""
    (row,) = (await ada.data(query, action="agent.created"))["activity"]["nodes"]
    assert UUID(row.pop("entityId")).version == 7
    assert row == {
        "actorId": "ada",
        "action": "agent.created",
        "entityType": "agent",
        "ipAddress": "127.0.0.1",
    }


async def test_activity_of_a_time(ada: Client, provider: str) -> None:
    for key in ("first", "second", "third"):
        await ada.data(ADD_AGENT, i={"key": key, "providerId": provider, "model": "m"})
    query = """query($from: DateTime, $to: DateTime) {
      activity(entityType: "agent", from: $from, to: $to) { nodes { createdAt } totalCount }
    }"""
    third, second, first = (await ada.data(query))["activity"]["nodes"]
    for limits, found in (
        ({"from": second["createdAt"]}, [third, second]),
        ({"to": second["createdAt"]}, [first]),
        ({"from": second["createdAt"], "to": third["createdAt"]}, [second]),
        ({"from": "2999-01-01T00:00:00Z"}, []),
    ):
        got = (await ada.data(query, **limits))["activity"]
        assert got == {"nodes": found, "totalCount": len(found)}
