"""A chat with a running server, over its own /v1/chat/completions."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Final

import aiohttp
import orjson

COMPLETIONS: Final = "/v1/chat/completions"
SILENCE_S: Final = 60
"""The server sends a keep-alive every 15 seconds."""
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
DATA: Final = b"data:"
DONE: Final = b"[DONE]"


class ChatFailed(Exception):
    """The text says why, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`url` has no slash at its end; without an `agent` the server's default one answers. `tls`
    is how its certificate is checked, None as usual.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    agent: str | None = None
    user_id: str | None = None
    tls: SSLContext | None = None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Accept": "text/event-stream"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.user_id:
            headers["X-GoClaw-User-Id"] = self.user_id
        return headers

    def body(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        body: dict[str, Any] = {"messages": messages, "stream": True}
        return body | {"model": f"goclaw:{self.agent}"} if self.agent else body


@dataclass(slots=True)
class Answer:
    """`finish_reason` is OpenAI's: `length` for an answer that was cut off."""

    text: str = ""
    finish_reason: str | None = None


async def ask(peer: Peer, messages: list[dict[str, str]], show: Callable[[str], None]) -> Answer:
    """`show` gets each piece of the answer as it comes. Raises ChatFailed."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                peer.url + COMPLETIONS,
                json=peer.body(messages),
                headers=peer.headers,
                ssl=peer.tls or True,
            ) as response,
        ):
            return await _read(peer, response, show)
    except aiohttp.ClientConnectorError as error:
        raise ChatFailed(f"no server answers at {peer.url}; to start one: goclaw serve") from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise ChatFailed(f"{peer.url} is not an http address") from error
    except TimeoutError as error:
        raise ChatFailed(f"the server at {peer.url} fell silent") from error
    except aiohttp.ClientError as error:
        reason = str(error) or type(error).__name__
        raise ChatFailed(f"the connection to {peer.url} broke: {reason}") from error


async def _read(
    peer: Peer, response: aiohttp.ClientResponse, show: Callable[[str], None]
) -> Answer:
    if response.status != 200:
        raise ChatFailed(_refusal(peer, response.status, await response.read()))
    if response.content_type != "text/event-stream":
        raise ChatFailed(f"{peer.url} is not a GoClaw server")
    answer = Answer()
    async for data in _events(response.content):
        if data == DONE:
            return answer
        piece = _piece(answer, _loaded(data))
        if piece:
            answer.text += piece
            show(piece)
    raise ChatFailed("the connection ended before the answer was complete")


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The data of each event; the server writes it in one line."""
    waiting = b""
    async for chunk in content.iter_any():
        *lines, waiting = (waiting + chunk).split(b"\n")
        if len(waiting) > MAX_LINE_BYTES:
            raise ChatFailed("the server sent a line that is too long")
        for line in lines:
            if line.startswith(DATA):
                yield line.removeprefix(DATA).strip()


def _loaded(data: bytes) -> dict[str, Any]:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ChatFailed("the server sent something that is not a chat answer") from error
    if not isinstance(event, dict):
        raise ChatFailed("the server sent something that is not a chat answer")
    return event


def _piece(answer: Answer, event: dict[str, Any]) -> str:
    if "error" in event:
        raise ChatFailed(_message(event) or "the server gave up")
    for choice in event.get("choices") or ():
        answer.finish_reason = choice.get("finish_reason") or answer.finish_reason
        return (choice.get("delta") or {}).get("content") or ""
    return ""


def _refusal(peer: Peer, status: int, body: bytes) -> str:
    try:
        message = _message(orjson.loads(body))
    except orjson.JSONDecodeError:
        message = None
    if message is None:
        return f"{peer.url} answered HTTP {status}; is it a GoClaw server?"
    if status == 401:
        return f"{message}: give --token, or set GOCLAW_API_KEY"
    return message


def _message(body: Any) -> str | None:
    """Of an error in OpenAI's format or in the server's own."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) else None
