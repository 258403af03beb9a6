"""Pages in a browser that are signed in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.doors.calling import Answer, Caller
from tests.doors.world import World
from tests.schema.client import Socket

ME = {"query": "{ me { userId sessionId keyId role } }"}
LIST = {"query": "{ webSessions { nodes { id userId userAgent address keyId } totalCount } }"}


class Tab:
    """A browser's tab: it has the cookie, and sends what a page of this server sends."""

    def __init__(self, http: aiohttp.ClientSession, url: str, cookie: str) -> None:
        self.http = http
        self.cookie = cookie
        self.url = url
        self.page = {"Cookie": cookie, "X-GoClaw-Page": "1", "Origin": self.url}

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        caller = Caller(self.http, self.url)
        sent = self.page if headers is None else {"Cookie": self.cookie, **headers}
        return await caller.rest(method, path, body, headers=sent)

    async def graphql(self, body: Any) -> Answer:
        return await self.ask("POST", "/graphql", body)

    async def is_in(self) -> bool:
        answer = await self.graphql(ME)
        assert answer.status in (200, 401), answer.text
        return answer.status == 200 and "errors" not in answer.body

    @asynccontextmanager
    async def socket(self, **headers: str) -> AsyncIterator[Socket]:
        sent = {"Cookie": self.cookie, **(headers or {"Origin": self.url})}
        async with self.http.ws_connect(
            f"{self.url}/graphql", protocols=("graphql-transport-ws",), headers=sent
        ) as ws:
            socket = Socket(ws)
            await socket.send(type="connection_init")
            yield socket


async def opened(world: World, token: str | None = None, user_id: str | None = "ada") -> Tab:
    caller = Caller(world.http, world.server.url, token or world.server.token, user_id)
    answer = await caller.rest("POST", "/v1/session", headers={"User-Agent": "Firefox/140"})
    assert answer.status == 201, answer.text
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    return Tab(world.http, world.server.url, f"{name}={rest.partition(';')[0]}")
