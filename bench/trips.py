"""Round trips between gateway and PostgreSQL, counted where they pass."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from statistics import mean
from typing import Final
from urllib.parse import parse_qs, urlsplit

from bench.answers import DELTAS
from bench.database import create_database
from bench.gateway import seeded, started
from bench.load import Connection
from bench.report import Row, at_most
from bench.scene import Scene, chat_request
from bench.servers import Server

SOCKET: Final = "/.s.PGSQL.5432"
ASKING: Final = b"QS"
"""Query and Sync: after each the client waits for the server."""

CALLS: Final = 100
WARM_UP: Final = 20
PAUSE_S: Final = 0.01


class Counter:
    """Reads what a client sends to PostgreSQL (frontend protocol 3.0)."""

    def __init__(self) -> None:
        self.trips = 0


class Frontend:
    """The messages of one connection, in whatever pieces they come."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._rest = b""
        self._started = False

    def read(self, data: bytes) -> None:
        buffer = self._rest + data
        at = 0
        while True:
            prefix = 1 if self._started else 0
            if len(buffer) < at + prefix + 4:
                break
            length = int.from_bytes(buffer[at + prefix : at + prefix + 4], "big")
            if len(buffer) < at + prefix + length:
                break
            if self._started and buffer[at] in ASKING:
                self._counter.trips += 1
            self._started = True
            at += prefix + length
        self._rest = buffer[at:]


@dataclass(frozen=True, slots=True)
class Between:
    dsn: str
    counter: Counter


@asynccontextmanager
async def counted(dsn: str) -> AsyncIterator[Between]:
    """A loopback port that leads to the same database."""
    parts = urlsplit(dsn)
    path = parse_qs(parts.query)["host"][0] + SOCKET
    counter = Counter()
    tasks: set[asyncio.Task[None]] = set()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(path)
        frontend = Frontend(counter)
        for work in (
            pump(reader, up_writer, frontend),
            pump(up_reader, writer, None),
        ):
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Between(
            f"postgresql://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable", counter
        )
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frontend: Frontend | None
) -> None:
    try:
        while data := await reader.read(65536):
            if frontend is not None:
                frontend.read(data)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def measure_trips(scene: Scene) -> Sequence[Row]:
    """One call after another; the fewest are those that nothing in the background added to."""
    dsn = await create_database(scene.dsn, "goclaw_trips")
    folder = scene.folder / "gateway-trips"
    async with (
        counted(dsn) as between,
        in_thread(started(folder, between.dsn, upstream_port=scene.upstream.port)) as server,
    ):
        gateway = await seeded(server, scene.upstream.port)
        data = chat_request(gateway.user_key)
        whole = await count(gateway.port, data, between.counter)
        data = chat_request(gateway.user_key, stream=True)
        stream = await count(gateway.port, data, between.counter)
    return [
        at_most(
            "database round trips of a chat call",
            max(min(whole), min(stream)),
            4,
            unit="",
            details=f"whole {min(whole)}, streamed {min(stream)}; with what the background wrote "
            f"meanwhile {mean([*whole, *stream]):.1f}",
        )
    ]


@asynccontextmanager
async def in_thread(server: AbstractContextManager[Server]) -> AsyncIterator[Server]:
    """It starts and stops while this loop passes on what it says to the database."""
    started_server = await asyncio.to_thread(server.__enter__)
    try:
        yield started_server
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def count(port: int, data: bytes, counter: Counter) -> list[int]:
    """Round trips during each call."""
    connection = await Connection.open(port)
    counts = []
    for _ in range(WARM_UP + CALLS):
        before = counter.trips
        answer = await connection.ask(data)
        assert answer.status == 200
        assert answer.words == DELTAS
        counts.append(counter.trips - before)
        await asyncio.sleep(PAUSE_S)
    connection.close()
    return counts[WARM_UP:]
