"""Limits of calls, failures, sockets, subscriptions and sizes, at each door in its own words."""

import asyncio
from typing import Any

import aiohttp
import pytest

from goclaw.core.callers import Scope
from goclaw.core.host import Host
from goclaw.resolvers.refused_credentials import MAX_ADDRESSES
from tests.doors.calling import Answer, Caller
from tests.doors.limiting import limited_world
from tests.doors.world import World
from tests.upstream import ScriptedUpstream

ME = "{ me { userId } }"
EVENTS = "subscription { events { kind } }"


def assert_limited(answer: Answer, code: str, subject: str | None = None) -> None:
    assert answer.status == 429, answer.text
    assert answer.code == code, answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    if subject is not None:
        assert answer.headers["RateLimit-Policy"].startswith(f'"{subject}";q=')
        assert answer.headers["RateLimit"].startswith(f'"{subject}";r=0;t=')


async def test_a_credential_has_its_limit_at_every_door(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, rate_per_credential=4) as world:
        ada = world.caller(Scope.WRITE)
        first = await ada.rest("GET", "/v1/agents")
        assert first.headers["RateLimit-Policy"] == '"credential";q=4;w=60'
        assert first.headers["RateLimit"].startswith('"credential";r=3;t=')
        async with ada.follow(EVENTS) as following:
            await ada.graphql(ME)
            rest = await ada.rest("GET", "/v1/agents")
            assert_limited(rest, "rate_limited", "credential")
            assert rest.body["error"].startswith("more than 4 calls a minute by this credential")
            chat = await ada.chat()
            assert_limited(chat, "rate_limited", "credential")
            assert chat.body["error"]["type"] == "rate_limit_error"
            graphql = await ada.graphql(ME)
            assert_limited(graphql, "rate_limited", "credential")
            assert graphql.body["errors"][0]["extensions"]["retryAfterS"] >= 1
            await following.socket.subscribe("2", ME)
            refused = await following.error()
            assert refused["code"] == "rate_limited"
            assert refused["retryAfterS"] >= 1
        async with world.http.ws_connect(
            f"{ada.url}/graphql", protocols=("graphql-transport-ws",), headers=ada.headers
        ) as socket:
            closed = await socket.receive()
            assert (closed.data, "calls a minute" in str(closed.extra)) == (1013, True)
        assert (await world.caller(Scope.READ).rest("GET", "/v1/agents")).status == 200


async def test_a_user_has_a_limit_whatever_the_credential(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, rate_per_user=2) as world:
        for scope in (Scope.READ, Scope.WRITE):
            assert (await world.caller(scope).rest("GET", "/v1/agents")).status == 200
        assert_limited(await world.root("ada").graphql(ME), "rate_limited", "user")
        assert (await world.root("bob").graphql(ME)).status == 200


async def test_an_address_is_limited_before_anything_else_is_looked_at(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, rate_per_address=5) as world:
        nobody = world.caller(None, None)
        for path in ("/health", "/docs", "/v1/openapi.json", "/v1/nothing", "/graphql"):
            assert (await nobody.rest("GET", path)).status != 429
        assert_limited(await world.root().rest("GET", "/v1/agents"), "rate_limited", "address")
        assert_limited(await nobody.rest("GET", "/health"), "rate_limited", "address")
        assert_limited(await world.root().graphql(ME), "rate_limited", "address")
        with pytest.raises(aiohttp.WSServerHandshakeError) as upgrade:
            async with world.root().socket():
                pass
        assert upgrade.value.status == 429
        assert upgrade.value.headers is not None
        assert int(upgrade.value.headers["Retry-After"]) >= 1
        for free in ("/livez", "/readyz", "/"):
            assert (await nobody.rest("GET", free)).status in (200, 503)


async def test_weakness_50_another_connection_does_not_begin_a_new_count(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, rate_per_credential=3) as world:
        ada = world.caller(Scope.WRITE)
        answers = []
        for _ in range(2):
            async with aiohttp.ClientSession() as fresh:
                caller = Caller(fresh, world.server.url, world.tokens[Scope.WRITE], "ada")
                answers.append(await caller.rest("POST", "/v1/agents/none/wake", {"message": "Hi"}))
                answers.append(await caller.chat("Hello?", model="goclaw:none"))
        assert [answer.status for answer in answers] == [404, 404, 404, 429]
        assert_limited(await ada.graphql(ME), "rate_limited")


async def test_weakness_15_random_keys_are_throttled_before_any_look_up(
    host: Host, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with limited_world(host, upstream, failures_per_address=5) as world:
        good = world.caller(Scope.READ)
        assert (await good.rest("GET", "/v1/agents")).status == 200
        codes = [await wrong(world, number) for number in range(12)]
        assert codes == ["invalid_credential"] * 5 + ["too_many_failures"] * 7
        assert world.services.failures.refused == 7

        refused = await Caller(world.http, world.server.url, "no such token").graphql(ME)
        assert_limited(refused, "too_many_failures")
        metrics = await Caller(world.http, world.server.url, "goclaw_x").rest("GET", "/metrics")
        assert metrics.status == 429
        async with world.http.ws_connect(
            f"{world.server.url}/graphql",
            protocols=("graphql-transport-ws",),
            headers={"Authorization": "Bearer goclaw_" + "1" * 32},
        ) as socket:
            assert (await socket.receive()).data == 1013

        # Whoever was known from there is served; the token, which could be guessed, is not.
        assert (await good.rest("GET", "/v1/agents")).status == 200
        assert_limited(await world.root().rest("GET", "/v1/agents"), "too_many_failures")
        assert (await world.caller(None, None).rest("GET", "/health")).status == 200


async def wrong(world: World, number: int) -> str | None:
    token = f"goclaw_{number:032x}"
    path = "/v1/models" if number % 2 else "/v1/agents"
    return (await Caller(world.http, world.server.url, token).rest("GET", path)).code


async def test_weakness_17_refused_credentials_are_audited_without_the_token(
    host: Host, upstream: ScriptedUpstream, capsys: pytest.CaptureFixture[str]
) -> None:
    async with limited_world(host, upstream, failures_per_address=3) as world:
        admin = world.caller(Scope.ADMIN, None)
        assert (await admin.rest("GET", "/v1/agents")).status == 200
        for number in range(7):
            await wrong(world, number)
        refusals = world.services.refusals
        for number in range(MAX_ADDRESSES + 10):
            refusals.note(f"192.0.2.{number}")
            refusals.note(f"192.0.2.{number}")
        await refusals.flush()
        log = await admin.rest("GET", "/v1/activity?action=credential.refused&limit=100")
        rows = log.body["logs"]
        assert len(rows) == MAX_ADDRESSES + 1
        assert {row["ip_address"] for row in rows} >= {"127.0.0.1", None}
        own = next(row for row in rows if row["ip_address"] == "127.0.0.1")
        assert own["details"] == {"attempts": 3}
        assert sum(row["details"]["attempts"] for row in rows) == 3 + 2 * (MAX_ADDRESSES + 10)
        everything = log.text + "".join(capsys.readouterr())
        assert "goclaw_0000" not in everything


async def test_a_socket_too_many_is_refused_by_name(host: Host, upstream: ScriptedUpstream) -> None:
    async with limited_world(
        host, upstream, sockets_per_credential=2, sockets_per_address=3
    ) as world:
        ada, bob = world.caller(Scope.WRITE), world.caller(Scope.READ, "bob")
        async with ada.socket(), ada.socket():
            assert await refused_socket(ada) == "this credential has 2 sockets open already"
            async with bob.socket():
                assert await refused_socket(bob) == "this address has 3 sockets open already"
        async with ada.socket(), bob.socket():
            pass
        for _ in range(200):
            if len(world.services.sockets) == 0:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("places of closed sockets were not given back")


async def refused_socket(caller: Caller) -> str:
    async with caller.http.ws_connect(
        f"{caller.url}/graphql", protocols=("graphql-transport-ws",), headers=caller.headers
    ) as socket:
        await socket.send_str('{"type":"connection_init"}')
        closed = await socket.receive()
        assert closed.data == 1013
        return str(closed.extra).partition(";")[0]


async def test_weakness_2_a_silent_socket_takes_a_place_and_hears_nothing(
    host: Host, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goclaw.schema.socket.INIT_TIMEOUT_S", 0.3)
    async with limited_world(host, upstream, sockets_per_address=1) as world:
        async with world.http.ws_connect(
            f"{world.server.url}/graphql", protocols=("graphql-transport-ws",)
        ) as silent:
            assert await refused_socket(world.caller(Scope.READ)) != ""
            await world.fresh()
            heard = await silent.receive()
            assert (heard.type, heard.data) == (aiohttp.WSMsgType.CLOSE, 4408)
        async with world.caller(Scope.READ).socket():
            pass


async def test_weakness_1_a_wrong_token_is_no_viewer_on_a_socket(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream) as world:
        for token in ("wrong", "goclaw_" + "0" * 32):
            stranger = Caller(world.http, world.server.url, token)
            async with world.http.ws_connect(
                f"{stranger.url}/graphql",
                protocols=("graphql-transport-ws",),
                headers=stranger.headers,
            ) as socket:
                assert (await socket.receive()).data == 4401


async def test_subscriptions_are_limited_over_sockets_and_over_http(
    host: Host, upstream: ScriptedUpstream
) -> None:
    limits = {"subscriptions_per_credential": 2, "subscriptions_per_address": 3}
    async with limited_world(host, upstream, **limits) as world:
        ada, bob = world.caller(Scope.READ), world.caller(Scope.WRITE, "bob")
        async with ada.follow(EVENTS) as one, ada.follow(EVENTS) as two:
            await settled(world, 2)
            async with ada.follow(EVENTS) as three:
                assert (await three.error())["code"] == "too_many_followed"
            assert await parts(ada) == "too_many_followed"
            async with bob.follow(EVENTS):
                await settled(world, 3)
                async with bob.follow(EVENTS) as four:
                    refused = await four.error()
                    assert refused["message"].startswith("this address follows 3 subscriptions")
            assert one.socket.ws.closed is two.socket.ws.closed is False
        await settled(world, 0)


async def settled(world: World, open_: int) -> None:
    for _ in range(200):
        taken = world.services.subscriptions._taken
        if taken["address", "127.0.0.1"] == open_:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(dict(taken))


async def parts(caller: Caller) -> str:
    headers = {**caller.headers, "Accept": "multipart/mixed;subscriptionSpec=1.0"}
    async with caller.http.post(
        f"{caller.url}/graphql", json={"query": EVENTS}, headers=headers
    ) as answer:
        text = await answer.text()
    return next(code for code in ("too_many_followed", "other") if code in text or code == "other")


BIG_QUERY = "?search=" + "x" * 20_000
MANY_HEADERS = {f"X-Header-{number}": "1" for number in range(120)}


@pytest.mark.parametrize("path", ["/v1/agents", "/v1/models", "/graphql", "/health"])
async def test_sizes_and_encodings_are_refused_in_the_doors_format(
    host: Host, upstream: ScriptedUpstream, path: str
) -> None:
    async with limited_world(host, upstream) as world:
        root = world.root()
        long = await root.rest("GET", path + BIG_QUERY)
        assert (long.status, long.code) == (414, "query_string_too_long"), long.text
        many = await root.rest("GET", path, headers=MANY_HEADERS)
        assert (many.status, many.code) == (431, "too_many_headers"), many.text
        for encoding in ("gzip", "br", "deflate, gzip", "x" * 500):
            packed = await root.rest("GET", path, headers={"Content-Encoding": encoding})
            assert (packed.status, packed.code) == (415, "encoding_refused"), packed.text
        same = await root.rest("GET", path, headers={"Content-Encoding": "identity"})
        assert same.status in (200, 400)


async def test_a_body_nested_too_deep_is_refused_at_every_door(
    host: Host, upstream: ScriptedUpstream
) -> None:
    deep: Any = "x"
    for _ in range(150):
        deep = [deep]
    async with limited_world(host, upstream) as world:
        ada = world.caller(Scope.WRITE)
        rest = await ada.rest("POST", "/v1/agents", {"name": "a", "other": deep})
        assert (rest.status, rest.code) == (400, "invalid_json")
        chat = await ada.rest("POST", "/v1/chat/completions", {"messages": deep})
        assert (chat.status, chat.code) == (400, "invalid_json")
        graphql = await ada.graphql("query ($id: UUID!) { agent(id: $id) { id } }", id=deep)
        assert graphql.status in (200, 400)
        assert graphql.code is not None


@pytest.mark.parametrize("path", ["/v1/agents", "/graphql"])
async def test_other_sites_and_names_are_refused_with_a_token_too(
    host: Host, upstream: ScriptedUpstream, path: str
) -> None:
    async with limited_world(host, upstream, allowed_hosts=("gateway.example",)) as world:
        root = world.root()
        for headers in ({"Origin": "https://evil.example"}, {"Host": "rebound.example"}):
            answer = await root.rest("GET", path + "?query={__typename}", headers=headers)
            assert (answer.status, answer.code) == (403, "origin_refused")
            assert "GOCLAW_ALLOWED_HOSTS" in answer.text
        own = {"Host": "gateway.example", "Origin": "https://gateway.example"}
        answer = await root.rest("GET", path + "?query={__typename}", headers=own)
        assert answer.status == 200, answer.text


async def test_an_address_behind_a_trusted_proxy_has_a_count_of_its_own(
    host: Host, upstream: ScriptedUpstream
) -> None:
    limits = {"rate_per_address": 2, "forwarded_allow_ips": ("127.0.0.1",)}
    async with limited_world(host, upstream, **limits) as world:
        nobody = world.caller(None, None)

        async def status(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            return (await nobody.rest("GET", "/health", headers=headers)).status

        assert [await status("6.6.6.6, 192.0.2.1") for _ in range(3)] == [200, 200, 429]
        assert await status("5.5.5.5, 192.0.2.1") == 429
        assert await status("192.0.2.1, 192.0.2.2") == 200
