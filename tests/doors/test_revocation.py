"""Two replicas on one database: once a revoke has returned, neither accepts the key."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from pydantic import SecretStr

from goclaw.core.callers import Scope
from goclaw.core.errors import Unavailable
from goclaw.core.host import Host
from goclaw.events.backend import FanoutBackend
from tests.doors.calling import Caller
from tests.doors.world import World, opened_world
from tests.support.redis_server import RedisServer
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream

ROUNDS = 20
CLIENTS = 200
ME = b'{"query": "{ me { keyId } }"}'
EVENTS = "subscription { events { kind } }"


@dataclass
class Replicas:
    world: World
    servers: tuple[RunningServer, RunningServer]

    def callers(self, token: str) -> list[Caller]:
        return [Caller(self.world.http, server.url, token) for server in self.servers]

    async def revoke(self, key_id: UUID) -> None:
        """At the first replica, as an administrator does."""
        answer = await self.world.root().rest("DELETE", f"/v1/api-keys/{key_id}")
        assert answer.status == 200, answer.text

    async def trusting(self) -> None:
        for server in self.servers:
            for _ in range(2000):
                if server.services.trust.holds:
                    break
                await asyncio.sleep(0.005)
            else:
                raise TimeoutError


class Cut:
    """The fan-out of one replica, which can be cut and mended."""

    def __init__(self, server: RunningServer) -> None:
        self._backend: FanoutBackend = server.services.hub._backend
        self._listen, self._send = self._backend._listen, self._backend._send

    async def cut(self) -> None:
        async def away(*_: object) -> Any:
            raise Unavailable("fanout_unavailable")

        self._backend._listen = self._backend._link._connect = away  # type: ignore[method-assign]
        self._backend._send = self._backend._outbox._send = away  # type: ignore[method-assign]
        session = self._backend._link._session
        if session is not None:
            await session.close()

    def mend(self) -> None:
        self._backend._listen = self._backend._link._connect = self._listen  # type: ignore[method-assign]
        self._backend._send = self._backend._outbox._send = self._send  # type: ignore[method-assign]


@asynccontextmanager
async def replicas(host: Host, upstream: ScriptedUpstream) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(running_server(host)) for _ in range(2)]
        world = await stack.enter_async_context(opened_world(servers[0], upstream))
        yield Replicas(world, (servers[0], servers[1]))


class Hammer:
    """Clients that call with one key until it is refused after the revoke had returned."""

    def __init__(self, http: aiohttp.ClientSession, urls: list[str], token: str) -> None:
        self._http = http
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.revoked_at = float("inf")
        self.accepted = 0
        self.late: list[tuple[str, int]] = []

    async def client(self, number: int) -> None:
        url = self._urls[number % len(self._urls)]
        began = 0.0
        while began < self.revoked_at:
            began = monotonic()
            async with self._http.post(f"{url}/graphql", data=ME, headers=self._headers) as answer:
                await answer.read()
            self.accepted += answer.status == 200
            if began >= self.revoked_at and answer.status != 401:
                self.late.append((url, answer.status))


async def hammer_round(pair: Replicas, http: aiohttp.ClientSession) -> None:
    key_id, token = await pair.world.key(Scope.READ, user_id="ada")
    hammer = Hammer(http, [server.url for server in pair.servers], token)
    callers = pair.callers(token)
    async with callers[0].follow(EVENTS) as one, callers[1].follow(EVENTS) as other:
        clients = [asyncio.create_task(hammer.client(number)) for number in range(CLIENTS)]
        while hammer.accepted < CLIENTS:
            await asyncio.sleep(0.01)
            assert not any(client.done() for client in clients)
        await pair.revoke(key_id)
        hammer.revoked_at = monotonic()
        await asyncio.gather(*clients)
        assert hammer.late == []
        for following in (one, other):
            code, reason = await following.socket.closed(10)
            assert (code, "revoked" in reason) == (4401, True)


@pytest.fixture
async def crowd() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        yield session


async def test_weakness_18_no_replica_accepts_a_revoked_key(
    host: Host, upstream: ScriptedUpstream, crowd: aiohttp.ClientSession
) -> None:
    async with replicas(host, upstream) as pair:
        for _ in range(ROUNDS):
            await pair.trusting()
            await hammer_round(pair, crowd)


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_weakness_18_no_replica_accepts_a_revoked_key_with_redis(
    host: Host, upstream: ScriptedUpstream, crowd: aiohttp.ClientSession, tmp_path: Path
) -> None:
    redis = RedisServer(tmp_path)
    await redis.start()
    try:
        url = SecretStr(redis.url)
        with_redis = replace(host, settings=host.settings.model_copy(update={"redis_url": url}))
        async with replicas(with_redis, upstream) as pair:
            for _ in range(ROUNDS):
                await pair.trusting()
                await hammer_round(pair, crowd)
    finally:
        await redis.kill()


async def test_weakness_18_no_replica_accepts_a_revoked_key_when_the_fan_out_is_cut(
    host: Host, upstream: ScriptedUpstream, crowd: aiohttp.ClientSession
) -> None:
    """At the replica that revokes, at the other one, at both, in turn; cut while it is trusted."""
    async with replicas(host, upstream) as pair:
        cuts = [Cut(server) for server in pair.servers]
        for number in range(ROUNDS):
            await pair.trusting()
            those = [cuts[:1], cuts[1:], cuts][number % 3]
            for cut in those:
                await cut.cut()
            await hammer_round(pair, crowd)
            for cut in those:
                cut.mend()


async def test_weakness_19_open_chat_streams_end_with_their_key(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with replicas(host, upstream) as pair:
        for server in range(2):
            upstream.reply("word " * 300, deltas=300, every=0.05)
            key_id, token = await pair.world.key(Scope.WRITE, user_id="ada")
            caller = pair.callers(token)[server]
            hung_up = upstream.hung_up
            async with caller.chat_stream() as stream:
                await stream.text()
                await pair.revoke(key_id)
                events = await asyncio.wait_for(stream.rest(), 5)
            assert events[-1]["error"]["code"] == "credential_ended"
            assert None not in events
            await upstream.until_hung_up(hung_up + 1)


async def test_weakness_19_open_streams_end_when_their_key_expires(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with replicas(host, upstream) as pair:
        _, token = await pair.world.key(Scope.READ, user_id="ada", expires_in=2)
        async with pair.callers(token)[1].follow(EVENTS) as following:
            code, reason = await following.socket.closed(10)
    assert (code, "expired" in reason) == (4401, True)


async def test_rotation_leaves_streams_of_a_key_open(
    host: Host, upstream: ScriptedUpstream
) -> None:
    """Also those of the old secret, as long as its grace lasts."""
    async with replicas(host, upstream) as pair:
        key_id, token = await pair.world.key(Scope.READ, user_id="ada")
        async with pair.callers(token)[1].follow(EVENTS) as following:
            rotate = f"/v1/api-keys/{key_id}/rotate"
            answer = await pair.world.root().rest("POST", rotate, {"grace_s": 2})
            assert answer.status == 200, answer.text
            await following.socket.send(type="ping")
            assert (await following.socket.receive())["type"] == "pong"
            async with pair.callers(answer.body["key"])[1].follow(EVENTS) as renewed:
                assert (await following.socket.closed(10))[0] == 4401
                await renewed.socket.send(type="ping")
                assert (await renewed.socket.receive())["type"] == "pong"
