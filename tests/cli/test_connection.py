"""Slow, greedy and numerous clients, on bare sockets. Times are short by configuration."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import uvicorn

from goclaw.cli.connection import Connection
from goclaw.cli.worker import serving
from goclaw.core.settings import Settings

PATIENCE_S = 10
BIG = b"x" * (8 * 1024 * 1024)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, then tells its length; `/big` answers much."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = BIG if scope["path"] == "/big" else str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """One answer with its body."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.startswith(b"content-length")
            )
            return head + await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All until the server hangs up."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


class Served:
    def __init__(self, port: int, connections: type[Connection]) -> None:
        self.port = port
        self.limits = connections.limits
        self.peers: list[Peer] = []

    async def connect(self, local: str = "127.0.0.1") -> Peer:
        opened = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(local, 0))
        self.peers.append(Peer(*opened))
        return self.peers[-1]

    async def free(self, most: int = 0) -> None:
        """Returns when no more connections than that are open."""
        for _ in range(PATIENCE_S * 100):
            if self.limits.open.total() <= most:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError(self.limits.open)


@asynccontextmanager
async def served(**limits: Any) -> AsyncIterator[Served]:
    settings = Settings().model_copy(update=limits)
    config = serving(app, settings)
    config.loop, config.lifespan = "none", "off"
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells by nothing else
        await asyncio.sleep(0.01)
    connections: Any = config.http_protocol_class
    here = Served(listener.getsockname()[1], connections)
    try:
        yield here
    finally:
        for peer in here.peers:
            peer.writer.transport.abort()
        server.should_exit = True
        await running


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-content-type-options: nosniff" in head
    assert b"connection: close" in head
    return int(head.split(b" ")[1]), orjson.loads(body)["code"]


async def test_weakness_15_a_head_that_drips_is_cut_off() -> None:
    async with served(header_timeout_s=0.5) as here:
        peer = await here.connect()
        await peer.say(b"GET / HTTP/1.1\r\n")
        dripping = asyncio.create_task(drip(peer, b"X-A: 1\r\n"))
        assert code_of(await peer.rest()) == (408, "request_too_slow")
        dripping.cancel()
        await here.free()


async def drip(peer: Peer, piece: bytes) -> None:
    try:
        while True:
            await peer.say(piece)
            await asyncio.sleep(0.05)
    except ConnectionError:
        return


async def test_weakness_15_fifty_slow_clients_do_not_keep_a_fast_one_waiting() -> None:
    async with served(header_timeout_s=1) as here:
        slow = [await here.connect() for _ in range(50)]
        for peer in slow:
            await peer.say(b"GET / HTTP/1.1\r\nHost: a\r\n")
        fast = await here.connect()
        await fast.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await fast.answer()).endswith(b"0")
        ends = await asyncio.gather(*(peer.rest() for peer in slow))
        assert {code_of(end)[0] for end in ends} == {408}


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with served(header_timeout_s=0.3) as here:
        assert await (await here.connect()).rest() == b""
        await here.free()


async def test_a_second_request_has_to_arrive_in_time_too() -> None:
    async with served(header_timeout_s=0.4) as here:
        peer = await here.connect()
        await peer.say(b"GET / HTTP/1.1\r\n\r\n")
        await peer.answer()
        await asyncio.sleep(0.6)
        await peer.say(b"GET / HTTP/1.1\r\n\r\n")
        await peer.answer()
        await peer.say(b"GET / HTTP/1.1\r\nX-")
        assert code_of(await peer.rest()) == (408, "request_too_slow")


async def test_an_idle_connection_is_closed_in_its_time() -> None:
    async with served(keep_alive_s=0.3) as here:
        peer = await here.connect()
        await peer.say(b"GET / HTTP/1.1\r\n\r\n")
        await peer.answer()
        assert await peer.rest() == b""


async def test_a_body_that_stops_is_cut_off_and_one_that_goes_on_is_not() -> None:
    async with served(body_timeout_s=0.5) as here:
        going = await here.connect()
        await going.say(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.2)
            await going.say(b"x")
        assert (await going.answer()).endswith(b"8")
        stopped = await here.connect()
        await stopped.say(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\nx")
        assert code_of(await stopped.rest()) == (408, "request_too_slow")


async def test_whoever_reads_nothing_is_given_up() -> None:
    async with served(write_timeout_s=0.5) as here:
        peer = await here.connect()
        peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await peer.say(b"GET /big HTTP/1.1\r\n\r\n")
        await here.free()


@pytest.mark.parametrize("rest", [b"\r\n\r\n", b""])
async def test_a_head_that_is_too_large_is_refused(rest: bytes) -> None:
    async with served(max_header_bytes=4096) as here:
        peer = await here.connect()
        await peer.say(b"GET / HTTP/1.1\r\nX-Large: " + b"x" * 5000 + rest)
        assert code_of(await peer.rest()) == (431, "head_too_large")


async def test_a_head_that_never_ends_is_refused_before_it_fills_memory() -> None:
    async with served(max_header_bytes=4096) as here:
        peer = await here.connect()
        await peer.say(b"GET / HTTP/1.1\r\n")
        dripping = asyncio.create_task(drip(peer, b"X-A: " + b"y" * 500 + b"\r\n"))
        assert code_of(await peer.rest()) == (431, "head_too_large")
        dripping.cancel()
        address = await here.connect()
        await address.say(b"GET /" + b"a" * 5000)
        assert code_of(await address.rest()) == (431, "head_too_large")


async def test_a_large_body_does_not_count_as_head() -> None:
    async with served(max_header_bytes=4096) as here:
        peer = await here.connect()
        for _ in range(2):
            await peer.say(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)
            assert (await peer.answer()).endswith(b"100000")


async def test_one_address_has_only_so_many_connections() -> None:
    async with served(connections_per_address=3) as here:
        mine = [await here.connect() for _ in range(3)]
        assert code_of(await (await here.connect()).rest()) == (429, "too_many_connections")
        other = await here.connect("127.0.0.2")
        await other.say(b"GET / HTTP/1.1\r\n\r\n")
        await other.answer()
        mine[0].writer.close()
        await here.free(3)
        again = await here.connect()
        await again.say(b"GET / HTTP/1.1\r\n\r\n")
        await again.answer()


async def test_connections_of_a_trusted_proxy_are_many_peoples() -> None:
    async with served(connections_per_address=1, forwarded_allow_ips=("127.0.0.1",)) as here:
        peers = [await here.connect() for _ in range(5)]
        for peer in peers:
            await peer.say(b"GET / HTTP/1.1\r\n\r\n")
            await peer.answer()


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\nGARBAGE\r\n\r\n"]
)
async def test_what_is_no_http_ends_the_connection(rubbish: bytes) -> None:
    async with served(header_timeout_s=0.5) as here:
        peer = await here.connect()
        await peer.say(rubbish)
        assert (await peer.rest()).startswith((b"HTTP/1.1 400", b""))
        await here.free()
