"""What all parts share: how much to measure, and the servers that are running."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import orjson

from bench.database import peer_database, postgres
from bench.gateway import Gateway, seeded, started
from bench.load import Answer, Load, request, run_load
from bench.machine import cpu_s
from bench.report import Row
from bench.rounds import Measured
from bench.servers import Server, peer, settle, upstream

PEER_KEY = "goclaw_peer"
CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Effort:
    """`scale` is 1 for figures to be kept, less for a quick look."""

    rounds: int
    scale: float

    def some(self, count: int) -> int:
        return max(1, round(count * self.scale))


class Scene:
    """Starts each server when it is first asked for; all end when the block ends."""

    def __init__(self, folder: Path, effort: Effort) -> None:
        self.folder = folder
        self.effort = effort
        self._stack = AsyncExitStack()
        self._dsn = ""
        self._peer_dsn = ""
        self._upstream: Server | None = None
        self._gateway: Gateway | None = None
        self._peers: dict[tuple[str, ...], Server] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @property
    def dsn(self) -> str:
        """Of the gateway's database."""
        if not self._dsn:
            folder = self.folder / "postgres"
            folder.mkdir()
            self._dsn = self._stack.enter_context(postgres(folder))
        return self._dsn

    async def peer_dsn(self) -> str:
        if not self._peer_dsn:
            self._peer_dsn = await peer_database(self.dsn, PEER_KEY)
        return self._peer_dsn

    @property
    def upstream(self) -> Server:
        if self._upstream is None:
            self._upstream = self._stack.enter_context(upstream(self.folder))
        return self._upstream

    async def gateway(self) -> Gateway:
        if self._gateway is None:
            folder = self.folder / "gateway"
            server = self._stack.enter_context(
                started(folder, self.dsn, upstream_port=self.upstream.port)
            )
            self._gateway = await seeded(server, self.upstream.port)
        return self._gateway

    def peer(self, module: str, *arguments: str) -> Server:
        found = self._peers.get((module, *arguments))
        if found is None:
            found = self._stack.enter_context(peer(self.folder, module, *arguments))
            self._peers[module, *arguments] = found
        return found

    def bare(self, kind: str) -> Server:
        return self.peer("bare", kind, str(self.upstream.port))

    async def three(self) -> Server:
        return self.peer("bare", "three", str(self.upstream.port), await self.peer_dsn())


Part: TypeAlias = Callable[[Scene], Awaitable[Sequence[Row]]]


def question(manner: bytes = b"") -> str:
    text = "Tell me what you know about opening hours"
    return f"{text}, {manner.decode()}" if manner else text


def chat_request(
    key: str,
    *,
    stream: bool = False,
    manner: bytes = b"",
    agent: str = "agent-0",
    before: Sequence[tuple[str, str]] = (),
) -> bytes:
    """`manner` tells the upstream how to answer; `before` are role and text of what was said."""
    spoken = (*before, ("user", question(manner)))
    said = [{"role": role, "content": text} for role, text in spoken]
    body: dict[str, Any] = {"model": agent, "messages": said}
    if stream:
        body["stream"] = True
    return request("POST", CHAT, {"authorization": f"Bearer {key}"}, orjson.dumps(body))


async def cpu_of(
    server: Server,
    data: bytes,
    *,
    calls: int,
    at_once: int,
    check: Callable[[Answer], bool],
    spread_s: float = 0,
) -> tuple[Load, Measured]:
    """The load, and the CPU of the server in microseconds a call (`cpu`)."""
    before = cpu_s(server.pid)
    load = await run_load(
        server.port, data, calls=calls, at_once=at_once, check=check, spread_s=spread_s
    )
    await settle()
    cpu_us = (cpu_s(server.pid) - before) / calls * 1e6
    return load, {"cpu": cpu_us, "rate": calls / load.elapsed_s}
