"""Subscriptions over plain HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from goclaw.schema import multipart
from tests.schema.client import Client
from tests.support.server import RunningServer

ACCEPT = 'application/json, multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"'
EVENTS = 'subscription { events(topics: ["api_key"]) { kind payload } }'
NEW_KEY = """mutation($user: String) {
  createApiKey(input: {name: "k", scopes: [READ], userId: $user}) { secret apiKey { id } }
}"""
REVOKE = "mutation($id: UUID!) { revokeApiKey(input: {id: $id}) { revoked } }"


class Parts:
    """The parts of an answer as they come."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self._text = b""

    async def next(self) -> Any:
        """None after the last one."""
        while self._text.count(b"\r\n--graphql") < 2:
            if b"\r\n--graphql--" in self._text:
                return None
            async with asyncio.timeout(5):
                chunk = await self.answer.content.readany()
            assert chunk, self._text
            self._text += chunk
            if self._text.count(b"\r\n--graphql") == 1 and self._text.endswith(b"}"):
                break
        _, part, *rest = self._text.split(b"\r\n--graphql", 2)
        self._text = b"\r\n--graphql" + rest[0] if rest else b""
        head, _, body = part.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/json; charset=utf-8"
        return orjson.loads(body)


@asynccontextmanager
async def follow(client: Client, query: str = EVENTS) -> AsyncIterator[Parts]:
    headers = client.headers | {"Accept": ACCEPT}
    async with client.http.post(client.url, json={"query": query}, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["X-Request-Id"]
        yield Parts(answer)


async def test_events_come_as_parts(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "KEEP_ALIVE_S", 0.3)
    async with follow(admin) as parts:
        assert parts.answer.headers["Content-Type"] == multipart.CONTENT_TYPE
        assert await parts.next() == {}
        await admin.data(NEW_KEY)
        part = await parts.next()
        while part == {}:
            part = await parts.next()
        assert part["payload"]["data"]["events"]["kind"] == "api_key.created"


async def test_other_operations_are_answered_as_ever(admin: Client) -> None:
    headers = admin.headers | {"Accept": ACCEPT}
    async with admin.http.post(admin.url, json={"query": "{ me { role } }"}, headers=headers) as a:
        assert a.content_type == "application/json"
        assert (await a.json())["data"] == {"me": {"role": "ADMIN"}}


async def test_refusals_are_parts_too(admin: Client, nobody: Client) -> None:
    async with follow(nobody) as parts:
        part = await parts.next()
        assert part["errors"][0]["extensions"]["code"] == "unauthenticated"
        assert await parts.next() is None
    headers = admin.headers | {"Accept": ACCEPT}
    query = {"query": "subscription { nothing }"}
    async with admin.http.post(admin.url, json=query, headers=headers) as answer:
        assert answer.content_type == "application/json"
    async with nobody.acting("wrong").http.post(
        admin.url, json={"query": EVENTS}, headers={"Accept": ACCEPT, "Authorization": "Bearer x"}
    ) as answer:
        assert answer.status == 401


async def test_a_revoked_key_ends_the_stream(admin: Client) -> None:
    made = (await admin.data(NEW_KEY, user="ada"))["createApiKey"]
    async with follow(admin.acting(made["secret"])) as parts:
        await asyncio.sleep(0.2)
        await admin.data(REVOKE, id=made["apiKey"]["id"])
        part = await parts.next()
        assert part["payload"] is None
        assert part["errors"][0]["extensions"]["code"] == "credential_ended"
        assert await parts.next() is None


async def test_the_server_stops_with_a_reason(admin: Client, server: RunningServer) -> None:
    async with follow(admin) as parts:
        await asyncio.sleep(0.3)
        await server.app.stop()
        assert (await parts.next())["errors"][0]["extensions"]["code"] == "stopping"


async def test_hanging_up_ends_the_subscription(admin: Client, server: RunningServer) -> None:
    async with follow(admin) as parts:
        await asyncio.sleep(0.3)
        assert server.services.hub.figures()["subscriptions"] == 1
        parts.answer.close()
        for _ in range(50):
            await asyncio.sleep(0.05)
            if server.services.hub.figures()["subscriptions"] == 0:
                break
        assert server.services.hub.figures()["subscriptions"] == 0
