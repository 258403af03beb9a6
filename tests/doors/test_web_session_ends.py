"""Everything that ends a page's session, and what keeps it."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from pydantic import SecretStr

from goclaw.core.callers import Scope
from goclaw.core.host import Host
from goclaw.resolvers import admission
from goclaw.resolvers.api_keys import revoke_api_key
from goclaw.store.web_sessions import sweep_web_sessions
from tests.doors.limiting import changed_server, limited_world
from tests.doors.tabs import LIST, ME, Tab, opened
from tests.doors.world import World
from tests.support.callers import context
from tests.support.databases import run_sql
from tests.upstream import ScriptedUpstream


async def test_signing_out_ends_it_and_takes_the_cookie_away(small_world: World) -> None:
    tab = await opened(small_world)
    out = await tab.ask("DELETE", "/v1/session")
    assert (out.status, "Max-Age=0" in out.headers["Set-Cookie"]) == (200, True)
    assert not await tab.is_in()
    again = await tab.ask("DELETE", "/v1/session")
    assert (again.status, "Max-Age=0" in again.headers["Set-Cookie"]) == (401, True)


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
