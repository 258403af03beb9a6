"""A page's session: what the cookie is, and what it can do."""

from http.cookies import SimpleCookie
from typing import Any

import aiohttp
import asyncpg
import pytest

from goclaw.core.callers import Scope
from goclaw.core.host import Host
from goclaw.security.credentials import key_hash
from tests.doors.calling import Caller
from tests.doors.limiting import changed_server, limited_world
from tests.doors.tabs import ME, Tab, opened
from tests.doors.world import World
from tests.upstream import ScriptedUpstream

NEW_AGENT = {"name": "paged", "provider": "scripted", "model": "m"}


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    small_world: World,
) -> None:
    answer = await small_world.root("ada").rest("POST", "/v1/session")
    cookie = answer.headers["Set-Cookie"]
    (name, morsel), *others = SimpleCookie(cookie).items()
    assert (name, others) == ("goclaw_session", [])
    assert morsel["httponly"] is True
    assert (morsel["samesite"], morsel["path"]) == ("Strict", "/")
    assert (morsel["secure"], morsel["domain"]) == ("", "")
    assert int(morsel["max-age"]) == 7 * 86400
    assert answer.headers["Cache-Control"] == "no-store"
    assert morsel.value not in answer.text
    assert small_world.server.token not in answer.text + cookie
    stored = await asyncpg.connect(small_world.server.host.dsn)
    row = dict(await stored.fetchrow("select * from web_sessions order by id desc limit 1"))
    await stored.close()
    assert row["secret_hash"] == key_hash(morsel.value)
    assert morsel.value not in str(row)
    assert key_hash(small_world.server.token) not in str(row)


async def test_over_https_the_cookie_is_secure_and_of_this_host_alone(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, forwarded_allow_ips=("127.0.0.1",)) as world:
        https = {"X-Forwarded-Proto": "https"}
        answer = await world.root("ada").rest("POST", "/v1/session", headers=https)
        assert answer.headers["Set-Cookie"].startswith("__Host-goclaw_session=")
        assert answer.headers["Set-Cookie"].endswith("; Secure")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        value = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        page = {"X-GoClaw-Page": "1", "Origin": world.server.url, **https}
        for name, status in (("__Host-goclaw_session", "ada"), ("goclaw_session", None)):
            tab = Tab(world.http, world.server.url, f"{name}={value}")
            asked = await tab.ask("POST", "/graphql", ME, page)
            assert (asked.body.get("data") or {}).get("me", {}).get("userId") == status
        async with changed_server(host, path_prefix="/goclaw") as prefixed:
            ada = Caller(world.http, f"{prefixed.url}/goclaw", prefixed.token, "ada")
            under = await ada.rest("POST", "/v1/session")
            assert "; Path=/goclaw;" in under.headers["Set-Cookie"]


async def test_a_page_does_what_its_credential_may(small_world: World) -> None:
    tab = await opened(small_world, small_world.tokens[Scope.WRITE])
    me = (await tab.graphql(ME)).data["me"]
    assert (me["userId"], me["role"]) == ("ada", "OPERATOR")
    assert me["sessionId"] is not None
    made = await tab.ask("POST", "/v1/agents", NEW_AGENT)
    assert made.status == 201, made.text
    assert (await tab.ask("GET", "/v1/agents", headers={})).status == 200
    assert (await tab.ask("GET", "/v1/api-keys")).code == "scope_missing"
    async with tab.socket() as socket:
        assert (await socket.receive())["type"] == "connection_ack"
        await socket.subscribe("1", ME["query"])
        assert (await socket.receive())["payload"]["data"]["me"]["userId"] == "ada"


async def test_a_page_stays_the_user_it_signed_in_as(small_world: World) -> None:
    tab = await opened(small_world)
    other = await tab.ask("GET", "/v1/agents", headers={"X-GoClaw-User-Id": "bob"})
    assert (other.status, other.code) == (403, "session_user")
    same = await tab.ask("GET", "/v1/agents", headers={"X-GoClaw-User-Id": "ada"})
    assert same.status == 200
    nobody = await opened(small_world, user_id=None)
    me = (await nobody.graphql(ME)).data["me"]
    assert (me["userId"], me["role"]) == (None, "ADMIN")


FORGED: list[dict[str, str]] = [
    {},
    {"X-GoClaw-Page": "1"},
    {"Origin": "OWN"},
    {"X-GoClaw-Page": "1", "Origin": "null"},
    {"X-GoClaw-Page": "1", "Origin": "https://ui.example"},
    {"Origin": "https://ui.example", "Content-Type": "text/plain"},
]


@pytest.mark.parametrize("headers", FORGED, ids=str)
async def test_weakness_14_another_sites_page_changes_nothing_with_the_cookie(
    host: Host, upstream: ScriptedUpstream, headers: dict[str, str]
) -> None:
    async with limited_world(host, upstream, allowed_origins=("https://ui.example",)) as world:
        tab = await opened(world)
        forged = {
            name: world.server.url if value == "OWN" else value for name, value in headers.items()
        }
        before = await world.digest()
        attempts: tuple[tuple[str, str, Any], ...] = (
            ("POST", "/v1/agents", NEW_AGENT),
            ("DELETE", "/v1/session", None),
            ("POST", "/v1/chat/completions", {"messages": []}),
            ("POST", "/graphql", ME),
        )
        for method, path, body in attempts:
            answer = await tab.ask(method, path, body, forged)
            assert answer.status == 403, (path, answer.text)
            assert answer.code in ("cross_site", "origin_refused")
        assert await world.digest() == before
        assert await tab.is_in()


async def test_weakness_14_another_sites_page_opens_no_socket_with_the_cookie(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, allowed_origins=("https://ui.example",)) as world:
        tab = await opened(world)
        for origin in ("https://evil.example", "https://ui.example", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with tab.socket(Origin=origin):
                    pass
            assert refused.value.status == 403


async def test_a_token_in_the_request_makes_the_cookie_irrelevant(small_world: World) -> None:
    tab = await opened(small_world)
    wrong = {"Authorization": "Bearer wrong"}
    assert (await tab.ask("GET", "/v1/agents", headers=wrong)).status == 401
    key = {"Authorization": f"Bearer {small_world.tokens[Scope.READ]}"}
    assert (await tab.ask("POST", "/v1/agents", NEW_AGENT, key)).code == "scope_missing"


@pytest.mark.parametrize(
    "cookie",
    [
        "goclaw_session=",
        "goclaw_session=" + "A" * 43,
        "goclaw_session=" + "A" * 5000,
        "goclaw_session='; drop table web_sessions; --",
        "other=1; goclaw_session=\xff",
        ";;;===",
        "xgoclaw_session=" + "A" * 43,
    ],
)
async def test_rubbish_is_nobody(small_world: World, cookie: str) -> None:
    tab = Tab(small_world.http, small_world.server.url, cookie)
    assert not await tab.is_in()
    assert (await tab.ask("GET", "/v1/agents")).status == 401


async def test_a_page_cannot_sign_in_with_its_session(small_world: World) -> None:
    tab = await opened(small_world)
    assert (await tab.ask("POST", "/v1/session")).code == "session_without_token"


async def test_an_open_server_has_no_sessions(host: Host, upstream: ScriptedUpstream) -> None:
    async with limited_world(host, upstream) as closed:
        tab = await opened(closed)
        async with changed_server(host, gateway_token=None) as server:
            left_over = Tab(closed.http, server.url, tab.cookie)
            assert await left_over.is_in()
            refused = await left_over.ask("POST", "/v1/session")
            assert refused.code == "session_without_token"


async def test_sign_in_is_throttled_by_address(host: Host, upstream: ScriptedUpstream) -> None:
    async with limited_world(host, upstream, failures_per_address=3) as world:
        stranger = Caller(world.http, world.server.url, "guess")
        codes = [(await stranger.rest("POST", "/v1/session")).code for _ in range(5)]
        assert codes == ["invalid_credential"] * 3 + ["too_many_failures"] * 2
        right = await world.root("ada").rest("POST", "/v1/session")
        assert right.status == 429


async def test_a_page_that_is_in_stays_in_while_others_guess(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, failures_per_address=3) as world:
        tab = await opened(world)
        assert await tab.is_in()
        stranger = Caller(world.http, world.server.url, "guess")
        for _ in range(5):
            await stranger.rest("POST", "/v1/session")
        assert await tab.is_in()
