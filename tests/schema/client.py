"""A GraphQL client for tests: over HTTP, and over a WebSocket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from tests.support.server import RunningServer

PROTOCOL = "graphql-transport-ws"


class Client:
    """Calls `/graphql` as one caller; `token` None stands for nobody."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, token: str | None, user_id: str | None = None
    ) -> None:
        self.http = http
        self.url = f"{url}/graphql"
        self.token = token
        self.user_id = user_id

    def acting(self, token: str | None = None, user_id: str | None = None) -> "Client":
        url = self.url.removesuffix("/graphql")
        return Client(self.http, url, token or self.token, user_id)

    @property
    def headers(self) -> dict[str, str]:
        headers = {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.user_id is not None:
            headers["X-GoClaw-User-Id"] = self.user_id
        return headers

    async def post(self, query: str, /, **variables: Any) -> tuple[int, dict[str, Any]]:
        body = {"query": query, "variables": variables}
        async with self.http.post(self.url, json=body, headers=self.headers) as answer:
            return answer.status, orjson.loads(await answer.read())

    async def data(self, query: str, /, **variables: Any) -> Any:
        status, payload = await self.post(query, **variables)
        assert "errors" not in payload, payload
        assert status == 200
        return payload["data"]

    async def error(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The one error, with its extensions beside its message."""
        _, payload = await self.post(query, **variables)
        (error,) = payload["errors"]
        return {"message": error["message"], **error["extensions"]}

    @asynccontextmanager
    async def socket(
        self, payload: Any = None, *, headers: dict[str, str] | None = None, init: bool = True
    ) -> AsyncIterator["Socket"]:
        sent = self.headers if headers is None else headers
        async with self.http.ws_connect(
            self.url, protocols=(PROTOCOL,), headers=sent, autoping=True
        ) as ws:
            socket = Socket(ws)
            if init:
                await socket.send(type="connection_init", payload=payload)
                assert (await socket.receive())["type"] == "connection_ack"
            yield socket


class Socket:
    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, **message: Any) -> None:
        await self.ws.send_str(orjson.dumps(message).decode())

    async def subscribe(self, id: str, query: str, /, **variables: Any) -> None:
        await self.send(type="subscribe", id=id, payload={"query": query, "variables": variables})

    async def receive(self, timeout_s: float = 10) -> dict[str, Any]:
        message = await self.ws.receive(timeout=timeout_s)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.ws.close_code)
        loaded: dict[str, Any] = orjson.loads(message.data)
        return loaded

    async def closed(self, timeout_s: float = 10) -> tuple[int | None, str]:
        """Reads until the server closes; gives code and reason."""
        while True:
            message = await self.ws.receive(timeout=timeout_s)
            if message.type is aiohttp.WSMsgType.CLOSE:
                return message.data, message.extra or ""
            if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                return self.ws.close_code, ""


def client_of(http: aiohttp.ClientSession, server: RunningServer) -> Client:
    return Client(http, server.url, server.token or None)
