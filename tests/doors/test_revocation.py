"""Two replicas on one database: once a revoke has returned, neither accepts the key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from goclaw.core.callers import Scope
from goclaw.core.errors import Unavailable
from goclaw.core.host import Host
from goclaw.events.backend import FanoutBackend
from goclaw.events.trust import Trust
from tests.doors.calling import Caller
from tests.doors.limiting import changed_server
from tests.doors.world import World, opened_world
from tests.support.redis import RedisServer, with_redis
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream

ROUNDS = 20
CLIENTS = 200
LEASE_S = 0.5
ME = '{"query": "{ me { keyId } }"}'
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
        backend: FanoutBackend = server.services.hub._backend
        self._link, self._outbox = backend._link, backend._outbox
        self._whole = self._link._connect, self._outbox._send

    async def cut(self) -> None:
        async def away(*_: object) -> Any:
            raise Unavailable("fanout_unavailable")

        self._link._connect, self._outbox._send = away, away
        if self._link._session is not None:
            await self._link._session.close()

    def mend(self) -> None:
        self._link._connect, self._outbox._send = self._whole


@asynccontextmanager
async def replicas(
    host: Host, upstream: ScriptedUpstream, **changes: Any
) -> AsyncIterator[Replicas]:
    """Nobody is throttled: what is not accepted was refused for its key."""
    unlimited = {"rate_per_address": 0, "rate_per_user": 0, "rate_per_credential": 0}
    changes = {"failures_per_address": 0, **unlimited, **changes}
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(changed_server(host, **changes)) for _ in range(2)
        ]
        world = await stack.enter_async_context(opened_world(servers[0], upstream))
        yield Replicas(world, (servers[0], servers[1]))


class Line:
    """A kept-alive connection that costs next to nothing: the replicas shall be busy, not we."""

    def __init__(self, url: str) -> None:
        self.host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self.host, self._port)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def status(self, token: str) -> int:
        """Of one call."""
        self._writer.write(
            f"POST /graphql HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(ME)}\r\n\r\n{ME}".encode()
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        await self._reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        return int(head.split()[1])


class Hammer:
    """Clients that call with one key until one of their calls began after the revoke."""

    def __init__(self, lines: list[Line], token: str) -> None:
        self._lines = lines
        self._token = token
        self.revoked_at = float("inf")
        self.accepted = 0
        self.late: list[int] = []

    async def swing(self) -> None:
        await asyncio.gather(*(self._client(line) for line in self._lines))

    async def _client(self, line: Line) -> None:
        began = 0.0
        while began < self.revoked_at:
            began = monotonic()
            status = await line.status(self._token)
            self.accepted += status == 200
            if began >= self.revoked_at:
                self.late.append(status)


@asynccontextmanager
async def crowd(pair: Replicas) -> AsyncIterator[list[Line]]:
    """Half of them at each replica."""
    lines = [Line(pair.servers[number % 2].url) for number in range(CLIENTS)]
    await asyncio.gather(*(line.open() for line in lines))
    yield lines
    await asyncio.gather(*(line.close() for line in lines))


async def hammer_round(pair: Replicas, lines: list[Line]) -> None:
    key_id, token = await pair.world.key(Scope.READ, user_id="ada")
    callers = pair.callers(token)
    async with callers[0].follow(EVENTS) as one, callers[1].follow(EVENTS) as other:
        hammer = Hammer(lines, token)
        swinging = asyncio.create_task(hammer.swing())
        while hammer.accepted < CLIENTS:
            await asyncio.sleep(0.005)
            assert not swinging.done()
        await pair.revoke(key_id)
        hammer.revoked_at = monotonic()
        await swinging
        assert hammer.late == [401] * CLIENTS
        for following in (one, other):
            code, reason = await following.socket.closed(10)
            assert (code, "revoked" in reason) == (4401, True)


@pytest.mark.slow
async def test_weakness_18_no_replica_accepts_a_revoked_key(
    host: Host, upstream: ScriptedUpstream
) -> None:
    async with replicas(host, upstream) as pair, crowd(pair) as lines:
        for _ in range(ROUNDS):
            await pair.trusting()
            await hammer_round(pair, lines)


@pytest.mark.slow
@with_redis
async def test_weakness_18_no_replica_accepts_a_revoked_key_with_redis(
    host: Host, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    redis = RedisServer(tmp_path)
    await redis.start()
    try:
        url = SecretStr(redis.url)
        async with replicas(host, upstream, redis_url=url) as pair, crowd(pair) as lines:
            for _ in range(ROUNDS):
                await pair.trusting()
                await hammer_round(pair, lines)
    finally:
        await redis.kill()


@pytest.mark.slow
async def test_weakness_18_no_replica_accepts_a_revoked_key_when_the_fan_out_is_cut(
    host: Host, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the replica that revokes, at the other one, at both, in turn; cut while it is trusted.
    Each revoke waits for the end of a lease, so that leases are short.
    """
    monkeypatch.setattr("goclaw.app.services.Trust", partial(Trust, lease_s=LEASE_S))
    async with replicas(host, upstream) as pair, crowd(pair) as lines:
        cuts = [Cut(server) for server in pair.servers]
        for number in range(ROUNDS):
            await pair.trusting()
            those = [cuts[:1], cuts[1:], cuts][number % 3]
            for cut in those:
                await cut.cut()
            await hammer_round(pair, lines)
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
            await following.ping()
            async with pair.callers(answer.body["key"])[1].follow(EVENTS) as renewed:
                assert (await following.socket.closed(10))[0] == 4401
                await renewed.ping()
