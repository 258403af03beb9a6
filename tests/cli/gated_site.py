"""A site for tools to fetch from, whose slow pages wait until they are let go."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Site:
    """`/quick/...` answers at once, `/slow/...` when it is let go; who asked is counted."""

    asked: Counter[str] = field(default_factory=Counter)
    gates: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    host: str = ""

    def let_go(self, pages: Iterable[str]) -> None:
        for page in pages:
            self.gates[page].set()

    def url(self, path: str) -> str:
        return f"http://{self.host}/{path}"

    async def answer(self, request: web.Request) -> web.Response:
        page = request.path[1:]
        self.asked[page] += 1
        if page.startswith("slow"):
            await self.gates[page].wait()
        return web.Response(text="A page.")


@asynccontextmanager
async def running_site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{rest:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.host = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        site.let_go(site.asked)
        await runner.cleanup()
