"""`python -m bench.peers.bare <port> bare|parsed|three <upstream port> [dsn]`

bare    Starlette and aiohttp hand a chat call to the vendor and its answer back.
parsed  the same with one orjson parse per delta.
three   the same as bare with three statements: find key and agent, begin, finish.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from uuid import uuid4

import aiohttp
import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bench.peers.schema import BEGIN, FIND, FINISH
from bench.peers.serving import serve

POOL = 26
"""As many connections as the gateway has for its statements."""


class Bare:
    def __init__(self, upstream_port: int) -> None:
        self._url = f"http://127.0.0.1:{upstream_port}/v1/chat/completions"
        self._headers = {"content-type": "application/json", "authorization": "Bearer bench"}
        self._client: aiohttp.ClientSession

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as self._client:
            yield

    async def chat(self, request: Request) -> Response:
        body = await request.body()
        if b'"stream":true' in body:
            return StreamingResponse(self.chunks(body), media_type="text/event-stream")
        return Response(await self.whole(body), media_type="application/json")

    async def whole(self, body: bytes) -> bytes:
        async with self._client.post(self._url, data=body, headers=self._headers) as reply:
            return await reply.read()

    async def chunks(self, body: bytes) -> AsyncIterator[bytes]:
        async with self._client.post(self._url, data=body, headers=self._headers) as reply:
            async for chunk in reply.content.iter_any():
                yield chunk


class Parsed(Bare):
    async def chunks(self, body: bytes) -> AsyncIterator[bytes]:
        async for chunk in super().chunks(body):
            for line in chunk.split(b"\n\n"):
                if line.startswith(b"data: {"):
                    orjson.loads(line[6:])
            yield chunk


class Three(Bare):
    def __init__(self, upstream_port: int, dsn: str) -> None:
        super().__init__(upstream_port)
        self._dsn = dsn
        self._pool: asyncpg.Pool[asyncpg.Record]

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with (
            asyncpg.create_pool(self._dsn, min_size=1, max_size=POOL, reset=no_reset) as self._pool,
            super().lifespan(app),
        ):
            yield

    async def chat(self, request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        found = await self._pool.fetchrow(FIND, sha256(token.encode()).hexdigest())
        if found is None:
            return Response(status_code=401)
        body = await request.body()
        sent = orjson.loads(body)
        run_id, text = uuid4(), sent["messages"][-1]["content"]
        await self._pool.execute(BEGIN, run_id, found["agent_id"], found["user_id"], uuid4(), text)
        if sent.get("stream"):
            stream = self._until_finished(body, run_id)
            return StreamingResponse(stream, media_type="text/event-stream")
        answer = await self.whole(body)
        await self._pool.execute(FINISH, run_id)
        return Response(answer, media_type="application/json")

    async def _until_finished(self, body: bytes, run_id: object) -> AsyncIterator[bytes]:
        async for chunk in self.chunks(body):
            yield chunk
        await self._pool.execute(FINISH, run_id)


async def no_reset(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Single statements leave nothing behind, and three round trips stay three."""


def main() -> None:
    port, kind, upstream_port, *dsn = sys.argv[1:]
    kinds = {"bare": Bare, "parsed": Parsed}
    server = (
        Three(int(upstream_port), dsn[0]) if kind == "three" else kinds[kind](int(upstream_port))
    )
    routes = [Route("/v1/chat/completions", server.chat, methods=["POST"])]
    serve(Starlette(routes=routes, lifespan=server.lifespan), int(port))


if __name__ == "__main__":
    main()
