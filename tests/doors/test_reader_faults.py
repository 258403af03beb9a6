"""Clients that read too slowly, or not at all, and callers who leave at a bad moment."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest

from goclaw.core.callers import Scope
from tests.doors.calling import Following, chat_body
from tests.doors.world import World
from tests.schema.client import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "subscription ($after: String) { events(after: $after) { cursor payload } }"
WRITE = """
    insert into events (id, topic, kind, audience, payload)
    select uuidv7(), 'provider', 'provider.changed', 'all',
        jsonb_build_object('number', $1::int + n, 'filling', repeat('x', $3))
    from generate_series(0, $2::int - 1) as n
"""
RECEIVE_BYTES = 8192
RUN = """
    select status, error_code, (
        select content from messages where run_id = runs.id and role = 'assistant'
    ) as answer, (
        select lease_run_id from sessions where id = runs.session_id
    ) as lease
    from runs where id = $1::uuid
"""


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues are short, and sends may take half a second."""
    monkeypatch.setattr("goclaw.schema.socket.SEND_TIMEOUT_S", 0.5)
    monkeypatch.setattr("goclaw.cli.connection.Connection._longest_write", 0.5)
    monkeypatch.setattr("goclaw.rest_compat.live_response.KEEP_ALIVE_S", 0.2)


@asynccontextmanager
async def lazy_socket(world: World) -> AsyncIterator[tuple[Following, Any]]:
    """A subscriber with little room, and its transport."""
    connector = aiohttp.TCPConnector(socket_factory=small_socket)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=1024) as http:
        client = Client(http, world.server.url, world.server.token)
        async with client.socket() as opened:
            response: Any = opened.ws._response
            yield Following(opened), response.connection.transport


def small_socket(info: Any) -> socket.socket:
    made = socket.socket(*info[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    made.setblocking(False)
    return made


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def open_subscriptions(world: World) -> int:
    return world.services.hub.figures()["subscriptions"]


async def write(world: World, first: int, count: int, filling: int = 2000) -> None:
    connection = await asyncpg.connect(world.server.host.dsn)
    await connection.execute(WRITE, first, count, filling)
    await connection.close()
    world.services.hub.wake()


async def read_numbers(events: Following, first: int, last: int) -> tuple[list[int], str]:
    """From `first` to `last`, and the last cursor."""
    told: list[int] = []
    while True:
        event = (await events.next())["events"]
        if "number" in event["payload"] and event["payload"]["number"] >= first:
            told.append(event["payload"]["number"])
        if told and told[-1] == last:
            return told, event["cursor"]


async def test_a_subscriber_who_is_too_slow_is_told_and_resumes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.services.hub, "_queue_limit", 20)
    after = await world.services.hub.head()
    total = 3000
    overflowed = world.services.hub.counters.subscriptions_overflowed
    async with lazy_socket(world) as (events, transport):
        await events.socket.subscribe("1", EVENTS, after=after)
        await write(world, 0, 1)
        first, _ = await read_numbers(events, 0, 0)
        transport.pause_reading()
        for start in range(1, total, 100):
            await write(world, start, 100)
            await asyncio.sleep(0)
        await until(lambda: world.services.hub.counters.subscriptions_overflowed > overflowed)
        transport.resume_reading()
        told, cursor = list(first), after
        while True:
            message = await events.socket.receive()
            if message["type"] != "next":
                break
            event = message["payload"]["data"]["events"]
            told.append(event["payload"]["number"])
            cursor = event["cursor"]
        assert message["type"] == "error", message
        assert [e["extensions"]["code"] for e in message["payload"]] == ["too_many_events"]
        assert told == list(range(len(told)))
        assert len(told) < total
        await events.socket.subscribe("2", EVENTS, after=cursor)
        rest, _ = await read_numbers(events, len(told), ((total - 2) // 100 + 1) * 100)
    assert told + rest == list(range(((total - 2) // 100 + 1) * 100 + 1))


async def test_a_socket_nobody_reads_is_closed_and_forgotten(
    world: World, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before its queue is full."""
    monkeypatch.setattr(world.services.hub, "_queue_limit", 100_000)
    await until(lambda: open_subscriptions(world) == 0)
    async with lazy_socket(world) as (events, transport):
        await events.socket.subscribe("1", EVENTS, after=await world.services.hub.head())
        await write(world, 0, 1)
        await read_numbers(events, 0, 0)
        assert open_subscriptions(world) == 1
        transport.pause_reading()
        for start in range(1, 3000, 100):
            await write(world, start, 100, 5000)
        await until(lambda: open_subscriptions(world) == 0)
        transport.resume_reading()
        code, _ = await events.socket.closed()
    assert code in (1013, 1006)  # the reason gets through if the buffers have room in time


async def test_a_stream_nobody_reads_is_given_up_in_time(world: World, slow: None) -> None:
    """What the server holds of it stays small, and the vendor is not asked for the rest."""
    text = "x" * 40_000_000
    world.upstream.reply(text, deltas=2000)
    hung_up = world.upstream.hung_up
    reader, writer = await begin_chat(world)
    head = await reader.readuntil(b"\r\n\r\n")
    run_id = header(head, b"x-goclaw-run-id")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await world.upstream.until_hung_up(hung_up + 1, 15)
    run = await ended(world, run_id)
    writer.transport.abort()
    assert (run["status"], run["lease"]) == ("cancelled", None)
    assert 0 < len(run["answer"]) < len(text) // 2
    assert world.services.runner.live == {}


async def begin_chat(
    world: World, **more: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A streaming call on a connection with little room."""
    made = small_socket((socket.AF_INET, socket.SOCK_STREAM, 0))
    port = int(world.server.url.rpartition(":")[2])
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=made, limit=4096)
    body = orjson.dumps(chat_body("Talk.", stream=True, **more))
    token = world.tokens[Scope.WRITE]
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Authorization: Bearer %b\r\nX-GoClaw-User-Id: ada\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (token.encode(), len(body), body)
    )
    return reader, writer


def header(head: bytes, name: bytes) -> str:
    (value,) = [
        line.partition(b": ")[2] for line in head.split(b"\r\n") if line.lower().startswith(name)
    ]
    return value.decode()


async def ended(world: World, run_id: str) -> Any:
    connection = await asyncpg.connect(world.server.host.dsn)
    try:
        for _ in range(400):
            row = await connection.fetchrow(RUN, run_id)
            if row["status"] != "running":
                return row
            await asyncio.sleep(0.02)
    finally:
        await connection.close()
    raise TimeoutError("the run goes on")


async def test_a_slow_reader_of_a_stream_gets_all_of_it(world: World, slow: None) -> None:
    """Only who reads nothing at all for too long is given up."""
    text = "word " * 40_000
    world.upstream.reply(text, deltas=200)
    reader, writer = await begin_chat(world)
    await reader.readuntil(b"\r\n\r\n")
    got = b""
    while b"[DONE]" not in got[-200:]:
        got += await reader.read(4096)
        await asyncio.sleep(0.002)
    writer.close()
    assert got.count(b'"content":"') >= 200


async def test_leaving_while_the_end_is_being_committed_leaves_nothing_open(world: World) -> None:
    """The row is locked, so that the end waits just where the caller hangs up."""
    world.upstream.reply("All said.", deltas=1, first_after=0.3)
    reader, writer = await begin_chat(world)
    await until(lambda: bool(world.services.runner.live))
    (run_id,) = world.services.runner.live
    connection = await asyncpg.connect(world.server.host.dsn)
    async with connection.transaction():
        await connection.execute("select 1 from runs where id = $1 for update", run_id)
        await reader.readuntil(b"said.")
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.2)
    await connection.close()
    run = await ended(world, str(run_id))
    assert (run["status"], run["answer"], run["lease"]) == ("completed", "All said.", None)
    await world.settle()
    assert world.services.runner.live == {}
