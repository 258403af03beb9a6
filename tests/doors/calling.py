"""One caller at all doors: `/graphql` over HTTP and WebSocket, `/v1`, chat."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from tests.schema.client import Client, Socket

EVENT = b"data: "


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is parsed JSON, None where it is none; `code` is the error's, in whichever format."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: Any

    @property
    def code(self) -> str | None:
        error = self.error
        if error is None:
            return None
        code: str | None = error.get("extensions", error).get("code")
        return code

    @property
    def error(self) -> dict[str, Any] | None:
        """One of ours, one of OpenAI's, or the one entry of `errors`."""
        if not isinstance(self.body, dict):
            return None
        if errors := self.body.get("errors"):
            (entry,) = errors
            return dict(entry)
        error = self.body.get("error")
        if isinstance(error, dict):
            return error
        return self.body if error is not None else None

    @property
    def data(self) -> Any:
        """What GraphQL gave, without any error."""
        assert self.status == 200, self.text
        assert "errors" not in self.body, self.text
        return self.body["data"]

    @property
    def events(self) -> list[Any]:
        """The server-sent events; `[DONE]` is None."""
        lines = [line for line in self.text.encode().split(b"\n\n") if line.startswith(EVENT)]
        return [None if b"[DONE]" in line else orjson.loads(line[len(EVENT) :]) for line in lines]


def answer_of(status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    return Answer(status, headers, raw.decode(), body)


class Caller:
    """`token` None is nobody."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str | None = None,
        user_id: str | None = None,
    ) -> None:
        self.http = http
        self.url = url
        self._client = Client(http, url, token, user_id)

    @property
    def headers(self) -> dict[str, str]:
        return self._client.headers

    async def graphql(self, query: str, **variables: Any) -> Answer:
        return await self.rest("POST", "/graphql", {"query": query, "variables": variables})

    async def rest(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {**self.headers, **(headers or {})}
        if body is not None:
            raw = orjson.dumps(body)
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.http.request(method, self.url + path, data=raw, headers=sent) as answer:
            return answer_of(answer.status, answer.headers, await answer.read())

    async def chat(self, text: str = "Hello?", **more: Any) -> Answer:
        """The whole answer, also of a stream."""
        return await self.rest("POST", "/v1/chat/completions", chat_body(text, **more))

    @asynccontextmanager
    async def chat_stream(self, text: str = "Hello?", **more: Any) -> AsyncIterator["ChatStream"]:
        body = orjson.dumps(chat_body(text, stream=True, **more))
        headers = {**self.headers, "Content-Type": "application/json"}
        url = f"{self.url}/v1/chat/completions"
        async with self.http.post(url, data=body, headers=headers) as response:
            yield ChatStream(response)

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Socket]:
        async with self._client.socket() as socket:
            yield socket

    @asynccontextmanager
    async def follow(self, query: str, **variables: Any) -> AsyncIterator["Following"]:
        async with self.socket() as socket:
            await socket.subscribe("1", query, **variables)
            yield Following(socket)

    async def first(self, query: str, **variables: Any) -> Answer:
        """What a subscription gives first, as an answer; nothing at all is one of its own."""
        async with self.follow(query, **variables) as following:
            message = await following.socket.receive()
        payload = message.get("payload")
        body = {"errors": payload} if message["type"] == "error" else payload
        return Answer(200, {}, orjson.dumps(body).decode(), body)

    async def first_part(self, query: str, **variables: Any) -> Answer:
        """The same over plain HTTP."""
        headers = {**self.headers, "Accept": "multipart/mixed;subscriptionSpec=1.0"}
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as answer:
            if not answer.content_type.startswith("multipart/"):
                return answer_of(answer.status, answer.headers, await answer.read())
            text = b""
            async with asyncio.timeout(10):
                while not text.endswith((b"}", b"--\r\n")):
                    text += await answer.content.readany()
        part = orjson.loads(text.split(b"\r\n\r\n", 1)[1].partition(b"\r\n--graphql")[0])
        payload = part.get("payload") or {"errors": part["errors"]}
        return Answer(200, {}, orjson.dumps(payload).decode(), payload)


async def asked_over(socket: Socket, query: str, **variables: Any) -> Answer:
    """What the first answer over an open socket is."""
    id = uuid4().hex
    await socket.subscribe(id, query, **variables)
    while (message := await socket.receive()).get("id") != id:
        pass
    payload = message.get("payload")
    body = {"errors": payload} if message["type"] == "error" else payload
    if message["type"] == "next":
        await socket.send(type="complete", id=id)
    return Answer(200, {}, orjson.dumps(body).decode(), body)


class ChatStream:
    """Server-sent events as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._lines = response.content

    async def next(self) -> Any:
        """The next event; None for `[DONE]`, an empty dictionary when the stream is over."""
        async for line in self._lines:
            if line.startswith(EVENT):
                data = line[len(EVENT) :].strip()
                return None if data == b"[DONE]" else orjson.loads(data)
        return {}

    async def text(self) -> str:
        """The next piece of the answer."""
        while True:
            event = await self.next()
            assert event, "the stream ended without another word"
            assert "error" not in event, event
            if piece := event["choices"] and event["choices"][0]["delta"].get("content"):
                return str(piece)

    async def rest(self) -> list[Any]:
        events = []
        while (event := await self.next()) != {}:
            events.append(event)
        return events


class Following:
    """A subscription over a socket of its own."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def next(self, timeout_s: float = 10) -> Any:
        """The data of the next payload; an error is raised."""
        while True:
            message = await self.socket.receive(timeout_s)
            if message["type"] == "ping":
                continue
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            return message["payload"]["data"]

    async def error(self, timeout_s: float = 10) -> dict[str, Any]:
        """The error that ends it, after whatever came before."""
        while True:
            message = await self.socket.receive(timeout_s)
            if message["type"] == "error":
                (entry,) = message["payload"]
                return {"message": entry["message"], **entry["extensions"]}
            assert message["type"] in ("next", "ping"), message

    async def ping(self, timeout_s: float = 10) -> None:
        """Until it is answered; what is heard before may have been under way."""
        await self.socket.send(type="ping")
        while (message := await self.socket.receive(timeout_s))["type"] != "pong":
            assert message["type"] in ("next", "ping"), message

    async def run(self, timeout_s: float = 20) -> "Followed":
        """To the end of a run."""
        text = ""
        while True:
            event = (await self.next(timeout_s))["runEvents"]
            if event["__typename"] == "RunText":
                assert event["offset"] == len(text), (event, text)
                text += event["text"]
            if event["__typename"] == "RunEnded":
                return Followed(text, event["run"], event["message"])


@dataclass(frozen=True, slots=True)
class Followed:
    """A run as `runEvents` told it."""

    text: str
    run: Any
    message: Any


FOLLOW_RUN = """
    subscription ($id: UUID!, $after: String) {
        runEvents(runId: $id, after: $after) {
            __typename
            ... on RunStarted { cursor run { id status } }
            ... on RunText { offset text }
            ... on RunEnded { cursor run { id status errorCode } message { content } }
        }
    }
"""

SEND = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { id traceId status } }"
CANCEL = "mutation ($input: CancelRunInput!) { cancelRun(input: $input) { id status } }"


def chat_body(text: str, **more: Any) -> dict[str, Any]:
    return {
        "model": "goclaw:scribe",
        "messages": [{"role": "user", "content": text}],
        **more,
    }
