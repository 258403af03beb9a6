"""`python -m bench.peers.route <port> <dsn> <table>`: a list from PostgreSQL, by hand.

The table is one of the peers' own; all its columns are answered, 50 rows of them.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.bare import POOL, no_reset
from bench.peers.serving import serve


class Rows:
    def __init__(self, dsn: str, table: str) -> None:
        self._dsn = dsn
        self._sql = f"select * from {table} order by id desc limit 50"
        self._pool: asyncpg.Pool[asyncpg.Record]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            self._dsn, min_size=1, max_size=POOL, reset=no_reset, init=set_codecs
        ) as self._pool:
            yield

    async def answer(self, _: Request) -> Response:
        rows = [dict(row) for row in await self._pool.fetch(self._sql)]
        body = orjson.dumps({"items": rows}, default=str)
        return Response(body, media_type="application/json")


async def set_codecs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec(
        "jsonb", encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog"
    )


def main() -> None:
    port, dsn, table = sys.argv[1:]
    rows = Rows(dsn, table)
    serve(Starlette(routes=[Route("/items", rows.answer)], lifespan=rows.lifespan), int(port))


if __name__ == "__main__":
    main()
