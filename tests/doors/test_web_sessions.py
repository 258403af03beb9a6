"""A page's session: what the cookie is, what it can do, and everything that ends it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from goclaw.core.callers import Scope
from goclaw.core.host import Host
from goclaw.resolvers import admission
from goclaw.resolvers.api_keys import revoke_api_key
from goclaw.security.credentials import key_hash
from goclaw.store.web_sessions import sweep_web_sessions
from tests.doors.calling import Answer, Caller
from tests.doors.limiting import changed_server, limited_world
from tests.doors.world import World
from tests.schema.client import Socket
from tests.support.callers import context
from tests.support.databases import run_sql
from tests.upstream import ScriptedUpstream

ME = {"query": "{ me { userId sessionId keyId role } }"}
NEW_AGENT = {"name": "paged", "provider": "scripted", "model": "m"}
LIST = {"query": "{ webSessions { nodes { id userId userAgent address keyId } totalCount } }"}


class Tab:
    """A browser's tab: it has the cookie, and sends what a page of this server sends."""

    def __init__(self, http: aiohttp.ClientSession, url: str, cookie: str) -> None:
        self.http = http
        self.cookie = cookie
        self.url = url
        self.page = {"Cookie": cookie, "X-GoClaw-Page": "1", "Origin": self.url}

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        caller = Caller(self.http, self.url)
        sent = self.page if headers is None else {"Cookie": self.cookie, **headers}
        return await caller.rest(method, path, body, headers=sent)

    async def graphql(self, body: Any) -> Answer:
        return await self.ask("POST", "/graphql", body)

    async def is_in(self) -> bool:
        answer = await self.graphql(ME)
        assert answer.status in (200, 401), answer.text
        return answer.status == 200 and "errors" not in answer.body

    @asynccontextmanager
    async def socket(self, **headers: str) -> AsyncIterator[Socket]:
        sent = {"Cookie": self.cookie, **(headers or {"Origin": self.url})}
        async with self.http.ws_connect(
            f"{self.url}/graphql", protocols=("graphql-transport-ws",), headers=sent
        ) as ws:
            socket = Socket(ws)
            await socket.send(type="connection_init")
            yield socket


async def opened(world: World, token: str | None = None, user_id: str | None = "ada") -> Tab:
    caller = Caller(world.http, world.server.url, token or world.server.token, user_id)
    answer = await caller.rest("POST", "/v1/session", headers={"User-Agent": "Firefox/140"})
    assert answer.status == 201, answer.text
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    return Tab(world.http, world.server.url, f"{name}={rest.partition(';')[0]}")


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


async def test_signing_out_ends_it_and_takes_the_cookie_away(small_world: World) -> None:
    tab = await opened(small_world)
    out = await tab.ask("DELETE", "/v1/session")
    assert (out.status, "Max-Age=0" in out.headers["Set-Cookie"]) == (200, True)
    assert not await tab.is_in()
    again = await tab.ask("DELETE", "/v1/session")
    assert (again.status, "Max-Age=0" in again.headers["Set-Cookie"]) == (401, True)


async def test_a_page_cannot_sign_in_with_its_session(small_world: World) -> None:
    tab = await opened(small_world)
    assert (await tab.ask("POST", "/v1/session")).code == "session_without_token"


async def test_an_ended_session_closes_its_sockets(
    small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "CHECK_S", 0.1)
    tab, other = await opened(small_world), await opened(small_world)
    id = (await tab.graphql(ME)).data["me"]["sessionId"]
    async with tab.socket() as socket:
        assert (await socket.receive())["type"] == "connection_ack"
        ended = await other.ask("DELETE", f"/v1/web-sessions/{id}")
        assert ended.status == 200
        assert not await tab.is_in()
        assert (await socket.closed())[0] == 4401
    assert await other.is_in()


async def test_a_session_ends_with_its_key(small_world: World) -> None:
    id, token = await small_world.key(Scope.READ)
    tab = await opened(small_world, token)
    assert await tab.is_in()
    await revoke_api_key(context(small_world.services, None, Scope.ADMIN), id)
    assert not await tab.is_in()


async def test_a_session_ends_when_its_key_expires(small_world: World) -> None:
    _, token = await small_world.key(Scope.READ, expires_in=2)
    tab = await opened(small_world, token)
    assert await tab.is_in()
    await asyncio.sleep(2)
    assert not await tab.is_in()


async def test_a_session_ends_when_the_gateway_token_changes(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream) as world:
        tab = await opened(world)
        assert await tab.is_in()
        async with changed_server(host, gateway_token=SecretStr("another")) as changed:
            assert not await Tab(world.http, changed.url, tab.cookie).is_in()
        assert await tab.is_in()


@pytest.mark.parametrize(
    "change",
    ["last_seen_at = now() - interval '12 h 1 s'", "expires_at = now() - interval '1 s'"],
)
async def test_a_session_ends_unused_and_at_its_age(small_world: World, change: str) -> None:
    tab = await opened(small_world)
    await run_sql(small_world.server.host.dsn, f"update web_sessions set {change}")
    assert not await tab.is_in()
    idle = timedelta(seconds=small_world.services.settings.session_idle_s)
    await sweep_web_sessions(small_world.services.database, idle)
    assert await count(small_world, "select count(*) from web_sessions") == 0


async def test_use_keeps_it_alive_and_an_open_socket_alone_does_not(
    small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "CHECK_S", 0.05)
    tab = await opened(small_world)
    fresh = "select count(*) from web_sessions where last_seen_at > now() - interval '1 h'"
    async with tab.socket() as socket:
        assert (await socket.receive())["type"] == "connection_ack"
        aged = "update web_sessions set last_seen_at = now() - interval '2 h', address = null"
        await run_sql(small_world.server.host.dsn, aged)
        await asyncio.sleep(0.5)
        assert await count(small_world, fresh) == 0
        assert await tab.is_in()
        assert await count(small_world, fresh) == 1
        used_from = "select count(*) from web_sessions where address = '127.0.0.1'"
        assert await count(small_world, used_from) == 1


async def count(world: World, sql: str) -> int:
    connection = await asyncpg.connect(world.server.host.dsn)
    number: int = await connection.fetchval(sql)
    await connection.close()
    return number


async def test_the_oldest_session_of_a_credential_gives_way(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with limited_world(host, upstream, sessions_per_credential=3) as world:
        first = await opened(world)
        tabs = await asyncio.gather(*(opened(world) for _ in range(6)))
        other = await opened(world, world.tokens[Scope.READ])
        assert not await first.is_in()
        assert sum([await tab.is_in() for tab in tabs]) == 3
        assert await other.is_in()
        assert await count(world, "select count(*) from web_sessions") == 4


async def test_one_sees_and_ends_ones_own_and_an_administrator_all(small_world: World) -> None:
    ada, bob = await opened(small_world), await opened(small_world, user_id="bob")
    (mine,) = (await ada.graphql(LIST)).data["webSessions"]["nodes"]
    assert (mine["userId"], mine["userAgent"], mine["address"]) == (
        "ada",
        "Firefox/140",
        "127.0.0.1",
    )
    his = (await bob.graphql(ME)).data["me"]["sessionId"]
    refused = await ada.ask("DELETE", f"/v1/web-sessions/{his}")
    assert (refused.status, refused.code) == (404, "web_session_not_found")
    root = small_world.root()
    everybody = await root.graphql(LIST["query"])
    assert everybody.data["webSessions"]["totalCount"] == 2
    gone = await root.rest("DELETE", f"/v1/web-sessions/{his}")
    assert gone.status == 200
    assert not await bob.is_in()
    assert await ada.is_in()
    log = await root.rest("GET", "/v1/activity?entity_type=web_session")
    kinds = [row["action"] for row in log.body["logs"]]
    assert kinds == ["web_session.ended", "web_session.created", "web_session.created"]


END_OTHERS = "mutation($i: EndOtherWebSessionsInput!) { endOtherWebSessions(input: $i) { ids } }"


async def test_one_signs_out_everywhere_else(small_world: World) -> None:
    here, elsewhere = await opened(small_world), await opened(small_world)
    by_key = await opened(small_world, small_world.tokens[Scope.WRITE])
    bob = await opened(small_world, user_id="bob")
    others = [(await tab.graphql(ME)).data["me"]["sessionId"] for tab in (by_key, elsewhere)]
    named = await here.graphql({"query": END_OTHERS, "variables": {"i": {"userId": "bob"}}})
    assert named.data["endOtherWebSessions"] == {"ids": []}
    answer = await here.graphql({"query": END_OTHERS, "variables": {"i": {}}})
    assert answer.data["endOtherWebSessions"] == {"ids": others}
    assert [await tab.is_in() for tab in (here, elsewhere, by_key, bob)] == [
        True,
        False,
        False,
        True,
    ]

    root = small_world.root()
    ended = await root.rest("DELETE", "/v1/web-sessions?user_id=bob")
    assert len(ended.body["ids"]) == 1
    assert not await bob.is_in()
    assert (await root.rest("DELETE", "/v1/web-sessions")).body["ids"] == []
    assert await here.is_in()
    log = await root.rest("GET", "/v1/activity?action=web_session.ended")
    assert [row["actor_id"] for row in log.body["logs"]] == ["system", "ada", "ada"]


async def test_who_may_only_read_signs_out_and_ends_nothing_else(small_world: World) -> None:
    token = small_world.tokens[Scope.READ]
    one, two = await opened(small_world, token), await opened(small_world, token)
    id = (await two.graphql(ME)).data["me"]["sessionId"]
    assert (await one.ask("DELETE", f"/v1/web-sessions/{id}")).code == "scope_missing"
    assert (await one.ask("DELETE", "/v1/session")).status == 200
    assert await two.is_in()


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
