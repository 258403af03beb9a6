"""A chat server that says what a test tells it to, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

DONE = b"data: [DONE]\n\n"


def delta(text: str) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def finish(reason: str = "stop") -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return b"data: " + orjson.dumps(chunk) + b"\n\n" + DONE


@dataclass
class Scripted:
    """`answers` are used in turn, the last one again and again."""

    url: str = ""
    status: int = 200
    content_type: str = "text/event-stream"
    answers: list[Sequence[bytes]] = field(default_factory=list)
    hang: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[Any] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers = dict(request.headers)
        self.bodies.append(await request.json())
        response = web.StreamResponse(
            status=self.status, headers={"Content-Type": self.content_type}
        )
        await response.prepare(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        for piece in answer:
            await response.write(piece)
            await asyncio.sleep(0)
        if self.hang:
            await asyncio.sleep(60)
        return response


async def serve(scripted: Scripted, started: "asyncio.Event") -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", scripted.handle)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    started.set()
    yield
    await runner.cleanup()


@contextmanager
def scripted_chat() -> Iterator[Scripted]:
    """Served by a thread, as the command has the main one to itself."""
    scripted = Scripted()
    loop = asyncio.new_event_loop()
    started = asyncio.Event()
    serving = serve(scripted, started)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.run_until_complete, anext(serving)).result(10)
        forever = pool.submit(loop.run_forever)
        try:
            yield scripted
        finally:
            loop.call_soon_threadsafe(loop.stop)
            forever.result(10)
            pool.submit(loop.run_until_complete, anext(serving, None)).result(10)
            loop.close()
