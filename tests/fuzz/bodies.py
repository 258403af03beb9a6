"""Random bodies for `/graphql` and chat, with random ways to ask for the answer."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit

from hypothesis import strategies as st

from tests.fuzz.frames import JSON, SHOWN, WORDS, Short, payloads
from tests.fuzz.judge import Finding, check_payload, check_route, check_status, check_words
from tests.fuzz.roles import Role
from tests.fuzz.tally import Tally

MULTIPART: Final = "multipart/mixed;subscriptionSpec=1.0"
CHAT: Final = "/v1/chat/completions"
TIMEOUT_S: Final = 30
PIECE: Final = 1 << 16

ACCEPTS = st.sampled_from(
    (MULTIPART, MULTIPART, "*/*", "application/json", "text/html", "", "\xff")
)
TYPES = st.sampled_from(
    ("application/json",) * 6 + ("text/plain", "", "application/json;charset=x")
)
ENCODINGS = st.sampled_from((None,) * 8 + ("gzip", "deflate", "br", "nonsense"))
KNOWN = st.sampled_from(("goclaw:scribe", "agent:zoes", "adas"))
MODELS = KNOWN | st.sampled_from(("gpt-4", "goclaw:", "")) | WORDS
ROLES = st.sampled_from(("user", "system", "assistant", "tool", "developer")) | WORDS
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(("text", "image_url"))}, optional={
        "text": WORDS, "image_url": JSON,
    }), max_size=2,
)  # fmt: skip
TOOL_CALLS = st.lists(
    st.fixed_dictionaries({"id": WORDS, "type": st.just("function"), "function": JSON}), max_size=2
)
MESSAGES = st.fixed_dictionaries(
    {"role": ROLES, "content": WORDS | PARTS | JSON},
    optional={"tool_calls": TOOL_CALLS | JSON, "tool_call_id": WORDS, "name": JSON},
)
CHATS = st.fixed_dictionaries(
    {"model": MODELS, "messages": st.lists(MESSAGES, max_size=4) | JSON},
    optional={
        "stream": st.booleans() | JSON,
        "stream_options": JSON,
        "temperature": st.floats() | JSON,
        "max_tokens": st.integers() | JSON,
        "n": st.integers(-1, 3),
        "tools": JSON,
        "tool_choice": JSON,
        "stop": JSON,
        "user": WORDS,
        "response_format": JSON,
        "reasoning_effort": JSON,
    },
)

QUESTION = st.fixed_dictionaries({"role": st.just("user"), "content": st.text(min_size=1)})
GOOD_CHATS = st.fixed_dictionaries(
    {"model": KNOWN, "messages": st.lists(QUESTION, min_size=1, max_size=3)},
    optional={"stream": st.booleans(), "max_tokens": st.integers(1, 100)},
)


@dataclass(frozen=True, slots=True, repr=False)
class Request(Short):
    path: str
    body: bytes
    accept: str
    content_type: str
    encoding: str | None

    def __repr__(self) -> str:
        told = f"{self.accept!r}, {self.content_type!r}, {self.encoding!r}"
        return f"Request({self.path}, {self.body[:SHOWN]!r}, {len(self.body)} bytes, {told})"


def requests(role: Role) -> st.SearchStrategy[Request]:
    broken = st.binary(max_size=60) | st.sampled_from((b"[" * 50_000, b'"\\ud800"', b"\xff", b""))
    chats = CHATS.map(_written) | GOOD_CHATS.map(_written) | broken
    asked = (payloads(role) | st.lists(payloads(role), max_size=2)).map(_written) | broken
    places = st.just("/graphql"), asked
    talks = st.just(CHAT), chats
    more = ACCEPTS, TYPES, ENCODINGS
    return st.builds(Request, *places, *more) | st.builds(Request, *talks, *more)


def _written(value: Any) -> bytes:
    return json.dumps(value).encode()


def send(url: str, role: Role, tally: Tally, request: Request) -> None:
    """Raises Finding."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    headers = {
        **role.headers, "Accept": request.accept, "Content-Type": request.content_type,
    }  # fmt: skip
    if request.encoding is not None:
        headers["Content-Encoding"] = request.encoding
    try:
        connection.request("POST", request.path, request.body, headers)
        answer = connection.getresponse()
        text = _text(answer)
    except (HTTPException, OSError) as error:
        raise Finding(f"no answer: {error!r}") from error
    finally:
        connection.close()
    door = "chat" if request.path == CHAT else "bodies"
    tally.count(door, role.name, answer.status)
    _check(role, request.path, answer, text)


def _text(answer: HTTPResponse) -> str:
    """The first piece of what goes on."""
    goes_on = (answer.getheader("Content-Type") or "").startswith("multipart/")
    return (answer.read1(PIECE) if goes_on else answer.read()).decode()


def _check(role: Role, path: str, answer: HTTPResponse, text: str) -> None:
    kind = answer.getheader("Content-Type") or ""
    if path == CHAT:
        check_route(role, "POST", CHAT, answer.status, text)
        if answer.status >= 400 and not isinstance(json.loads(text)["error"], dict):
            raise Finding(f"not the error format of this door: {text[:500]}")
    elif kind.startswith("application/"):
        check_status(answer.status, text)
        for payload in _each(json.loads(text)):
            check_payload(role, payload)
    else:
        check_status(answer.status, text)
        check_words(role, text)


def _each(payload: Any) -> list[Any]:
    return payload if isinstance(payload, list) else [payload]
