"""Errors in the caller's language at every door, each call in its own."""

import asyncio
from typing import Any

import pytest

from goclaw.core.callers import Scope
from goclaw.core.errors import TEXTS
from goclaw.core.locales import Locale
from tests.doors.calling import Caller, chat_body
from tests.doors.world import World
from tests.schema.client import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = "00000000-0000-0000-0000-000000000000"
EACH = pytest.mark.parametrize("locale", list(Locale))


def text_of(code: str, locale: Locale, **params: Any) -> str:
    return TEXTS[locale][code].format_map(params)


def in_(locale: str) -> dict[str, str]:
    return {"Accept-Language": f"fr, {locale}-XX;q=0.9, en;q=0.1"}


@EACH
async def test_rest(world: World, locale: Locale) -> None:
    ada = world.caller(Scope.WRITE)
    answer = await ada.rest("GET", f"/v1/agents/{NOWHERE}", headers=in_(locale))
    assert answer.body["error"] == text_of("agent_not_found", locale, id=NOWHERE)
    assert answer.code == "agent_not_found"
    assert answer.headers["Content-Language"] == locale
    assert "Accept-Language" in answer.headers.getall("Vary")  # type: ignore[attr-defined]


@EACH
async def test_rest_names_the_field_as_it_was_sent(world: World, locale: Locale) -> None:
    ada = world.caller(Scope.WRITE)
    refused = await ada.rest("POST", "/v1/agents", {"name": "x" * 101}, headers=in_(locale))
    said = {"en": "name: string should have at most 100 characters",
            "vi": "name: chỉ được có tối đa 100 ký tự",
            "zh": "name\uff1a最多 100 个字符"}  # fmt: skip
    assert refused.body["error"] == said[locale]
    query = await ada.rest("GET", "/v1/traces?limit=0", headers=in_(locale))
    said = {"en": "limit: must be 1 to 200", "vi": "limit: phải từ 1 đến 200",
            "zh": "limit\uff1a必须在 1 到 200 之间"}  # fmt: skip
    assert query.body["error"] == said[locale]


@EACH
async def test_openais_format(world: World, locale: Locale) -> None:
    body = chat_body("Hello?") | {"model": "goclaw:nobody"}
    ada = world.caller(Scope.WRITE)
    answer = await ada.rest("POST", "/v1/chat/completions", body, headers=in_(locale))
    message = answer.body["error"]["message"]
    assert message == text_of("agent_not_found", locale, id="nobody")
    assert answer.headers["Content-Language"] == locale


@EACH
async def test_a_stream_that_fails(world: World, locale: Locale) -> None:
    rows = await world.recent()
    world.upstream.reply("One two three.", cut_after=1)
    body = chat_body("Hello?", stream=True) | {"model": f"goclaw:{rows['agent_key']}"}
    ada = world.caller(Scope.WRITE)
    answer = await ada.rest("POST", "/v1/chat/completions", body, headers=in_(locale))
    last = answer.events[-1]
    assert last["error"]["message"] == text_of("upstream_cut", locale, provider="scripted")


@EACH
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/models/x", "/graphql"])
async def test_a_bad_credential(world: World, locale: Locale, path: str) -> None:
    stranger = Caller(world.http, world.server.url, "wrong")
    method = "POST" if path == "/graphql" else "GET"
    answer = await stranger.rest(method, path, {"query": "{ me { role } }"}, headers=in_(locale))
    if path == "/v1/nothing":
        assert answer.body["error"] == text_of("not_found", locale, path=path)
    else:
        assert answer.error is not None
        error = answer.error.get("message", answer.body.get("error"))
        assert error == text_of("invalid_credential", locale)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Language"] == locale


@EACH
async def test_probes(world: World, locale: Locale) -> None:
    answer = await world.caller(None).rest("GET", "/metrics", headers=in_(locale))
    assert answer.text == text_of("unauthenticated", locale) + "\n"
    assert answer.headers["Content-Language"] == locale


@EACH
async def test_graphql_over_http(world: World, locale: Locale) -> None:
    ada = world.caller(Scope.READ)
    query = "query ($id: UUID!) { agent(id: $id) { id } }"
    body = {"query": query, "variables": {"id": NOWHERE}}
    answer = await ada.rest("POST", "/graphql", body, headers=in_(locale))
    assert answer.error is not None
    assert answer.error["message"] == text_of("agent_not_found", locale, id=NOWHERE)
    assert answer.headers["Content-Language"] == locale
    assert "Accept-Language" in answer.headers["Vary"]
    good = await ada.rest("POST", "/graphql", {"query": "{ me { role } }"}, headers=in_(locale))
    assert "Content-Language" not in good.headers


@EACH
async def test_graphql_names_the_field_in_its_own_way(world: World, locale: Locale) -> None:
    sent = {"key": "x", "maxOutputTokens": 0}
    query = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { id } }"
    body = {"query": query, "variables": {"input": sent}}
    answer = await world.caller(Scope.WRITE).rest("POST", "/graphql", body, headers=in_(locale))
    assert answer.error is not None
    said = {"en": "maxOutputTokens: input should be greater than 0",
            "vi": "maxOutputTokens: phải lớn hơn 0",
            "zh": "maxOutputTokens\uff1a必须大于 0"}  # fmt: skip
    assert answer.error["message"] == said[locale]


@EACH
@pytest.mark.parametrize("how", ["upgrade", "first message"])
async def test_sockets(world: World, locale: Locale, how: str) -> None:
    client = Client(world.http, world.server.url, world.tokens[Scope.READ], "ada")
    upgrade = how == "upgrade"
    headers = client.headers | (in_(locale) if upgrade else in_("zh"))
    payload = None if upgrade else {"locale": locale}
    async with client.socket(payload, headers=headers) as socket:
        query = "query ($id: UUID!) { agent(id: $id) { id } }"
        await socket.subscribe("1", query, id=NOWHERE)
        (error,) = (await socket.receive())["payload"]["errors"]
        assert error["message"] == text_of("agent_not_found", locale, id=NOWHERE)
        await socket.receive()
        follow = "subscription ($id: UUID!) { runEvents(runId: $id) { __typename } }"
        await socket.subscribe("2", follow, id=NOWHERE)
        (error,) = (await socket.receive())["payload"]
        assert error["message"] == text_of("run_not_found", locale, id=NOWHERE)
        await socket.subscribe("3", "{ me { role } }")
        assert (await socket.receive())["payload"]["data"]


@pytest.mark.parametrize(("wish", "told"), [("fr", "zh"), ("", "zh"), (7, "zh"), ("vi;q=x", "zh")])
async def test_a_wish_that_cannot_be_met_leaves_the_upgrades(
    world: World, wish: Any, told: str
) -> None:
    client = Client(world.http, world.server.url, world.tokens[Scope.READ], "ada")
    async with client.socket({"locale": wish}, headers=client.headers | in_("zh")) as socket:
        await socket.subscribe("1", "query ($id: UUID!) { run(id: $id) { id } }", id=NOWHERE)
        (error,) = (await socket.receive())["payload"]["errors"]
        assert error["message"] == text_of("run_not_found", Locale(told), id=NOWHERE)


@EACH
async def test_why_a_socket_is_closed(world: World, locale: Locale) -> None:
    nobody = Client(world.http, world.server.url, None)
    async with nobody.socket(init=False) as socket:
        await socket.send(type="connection_init", payload={"locale": locale})
        code, reason = await socket.closed()
    assert code == 4401
    assert reason == text_of("unauthenticated", locale)


async def test_two_languages_at_once_do_not_mix(world: World) -> None:
    """Also with one credential, which sockets share the watch of."""
    client = Client(world.http, world.server.url, world.tokens[Scope.READ], "ada")
    query = "query ($id: UUID!) { run(id: $id) { id } }"

    async def ask(locale: Locale) -> None:
        async with client.socket({"locale": locale}) as socket:
            for turn in range(10):
                await socket.subscribe(str(turn), query, id=NOWHERE)
                (error,) = (await socket.receive())["payload"]["errors"]
                assert error["message"] == text_of("run_not_found", locale, id=NOWHERE)
                await socket.receive()

    await asyncio.gather(*(ask(locale) for locale in Locale))


async def test_what_is_stored_is_english(world: World) -> None:
    """Others read it: administrators, in traces."""
    rows = await world.recent()
    ada = world.caller(Scope.WRITE)
    world.upstream.fail(500, "no")
    body = chat_body("Hello?") | {"model": f"goclaw:{rows['agent_key']}"}
    answer = await ada.rest("POST", "/v1/chat/completions", body, headers=in_("vi"))
    assert "nhà cung cấp" in answer.body["error"]["message"]
    run = answer.headers["X-GoClaw-Run-Id"]
    stored = (
        await ada.graphql("query ($id: UUID!) { run(id: $id) { errorMessage } }", id=run)
    ).data
    assert stored["run"]["errorMessage"].startswith("provider scripted failed")


@pytest.mark.parametrize(
    "header", ["vi;q=2", "x" * 2000, "\xff\xfe", ";;;,,,", "vi" + ", vi" * 600, "q=1;vi"]
)
async def test_rubbish_is_as_if_nothing_was_sent(world: World, header: str) -> None:
    ada = world.caller(Scope.WRITE)
    answer = await ada.rest("GET", f"/v1/agents/{NOWHERE}", headers={"Accept-Language": header})
    assert (answer.status, answer.headers["Content-Language"]) == (404, "en")


async def test_a_verification_says_why_in_the_callers_language(world: World) -> None:
    rows = await world.fresh()
    world.upstream.fail(401, "no")
    ada = world.caller(Scope.WRITE)
    path = f"/v1/providers/{rows['provider']}/verify"
    answer = await ada.rest("POST", path, {"model": "scripted-1"}, headers=in_("zh"))
    assert answer.body["error"] == text_of(
        "upstream_credential", Locale.ZH, provider=rows["provider_name"], status=401
    )
