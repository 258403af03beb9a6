"""Whatever a client may send over a socket, and how the server has to take it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.fuzz.judge import Finding, check_errors, check_payload
from tests.fuzz.roles import Role
from tests.fuzz.tally import Tally
from tests.schema.client import PROTOCOL

CLOSE_CODES: Final = frozenset(
    {1000, 1002, 1003, 1007, 1009, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429}
)
"""Documented in `goclaw/schema/socket.py` and in RFC 6455; 1006 and 1011 are ours to prevent."""
TYPES: Final = frozenset({"connection_ack", "next", "error", "complete", "ping", "pong"})
ANSWER_S: Final = 15.0
LARGE: Final = 1 << 20
SHOWN: Final = 300
LAST: Final = {"type": "ping", "payload": {"last": True}}

QUERIES: Final = (
    "{ me { userId scopes } }",
    "{ server { version } }",
    "{ agents { nodes { key systemPrompt shares { userId } } } }",
    "{ apiKeys { nodes { name prefix } } }",
    "{ activity { nodes { action actorId } } }",
    "{ sessions { nodes { key messages { nodes { content } } } } }",
    "query ($id: UUID!) { agent(id: $id) { key systemPrompt } }",
    "query ($id: UUID!) { session(id: $id) { messages { nodes { content } } } }",
    "query ($id: UUID!) { trace(id: $id) { spans { name } } }",
    "query ($id: UUID!) { run(id: $id) { status } }",
    "mutation ($id: UUID!) { cancelRun(input: {runId: $id}) { status } }",
    'mutation ($id: UUID!) { shareAgent(input: {agentId: $id, userId: "eve"}) { userId } }',
    "subscription { events { kind payload } }",
    "subscription ($after: String) { events(after: $after) { cursor } }",
    "subscription ($id: UUID!) { runEvents(runId: $id) { __typename } }",
    "subscription { a: events { kind } b: events { kind } }",
    "query A { me { role } } query B { me { role } }",
    "{ __schema { types { name } } }",
    "{ ...F } fragment F on Query { ...F }",
    "{ nothing }", "{", "", "query", "\x00", "{ me { role } }" * 50, "{" * 500, "#" * 5000,
)  # fmt: skip

WORDS = st.text(max_size=20) | st.sampled_from(("\x00", "\ud800", "\u200b", "__proto__", "İ"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(("1", "2", "", "x" * 128, "x" * 129, "\x00", "\ud800")) | JSON


def payloads(role: Role) -> st.SearchStrategy[Any]:
    variables = st.fixed_dictionaries(
        {}, optional={"id": st.sampled_from(role.ids) | JSON, "after": JSON, "\x00": JSON}
    )
    asked = st.fixed_dictionaries(
        {"query": st.sampled_from(QUERIES) | st.text(max_size=40)},
        optional={
            "variables": variables | JSON,
            "operationName": st.sampled_from(("A", "C")) | JSON,
            "extensions": JSON,
        },
    )
    return asked | JSON


def messages(role: Role) -> st.SearchStrategy[Any]:
    subscribe = {"type": st.just("subscribe"), "id": IDS, "payload": payloads(role)}
    good = {**subscribe, "id": st.sampled_from(("1", "2", "3"))}
    return st.one_of(
        st.fixed_dictionaries(good),
        st.fixed_dictionaries({"type": st.just("complete"), "id": st.sampled_from(("1", "2"))}),
        st.fixed_dictionaries(
            {"type": st.sampled_from(("ping", "pong"))}, optional={"payload": JSON}
        ),
        st.fixed_dictionaries(subscribe),
        st.fixed_dictionaries({"type": st.just("complete"), "id": IDS}),
        st.fixed_dictionaries({"type": st.just("connection_init")}, optional={"payload": JSON}),
        st.fixed_dictionaries({"type": WORDS | JSON}, optional={"id": IDS}),
        JSON,
    )


class Short:
    """Shown by its `repr`: Hypothesis would write out all the fields of a dataclass."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@dataclass(frozen=True, slots=True, repr=False)
class Frame(Short):
    """`binary`: not the text frame that the protocol asks for."""

    raw: bytes
    binary: bool = False

    def __repr__(self) -> str:
        return f"Frame({self.raw[:SHOWN]!r}, {len(self.raw)} bytes, binary={self.binary})"


def frames(role: Role) -> st.SearchStrategy[Frame]:
    written = messages(role).map(lambda message: Frame(json.dumps(message).encode()))
    return st.one_of(
        written,
        written,
        written,
        written.map(lambda frame: Frame(frame.raw[:-1])),
        written.map(lambda frame: Frame(frame.raw, binary=True)),
        st.binary(max_size=40).map(Frame),
        st.binary(max_size=40).map(lambda raw: Frame(raw, binary=True)),
        st.sampled_from(
            (
                Frame(b"[" * 50_000),
                Frame(b'{"type":' * 2_000 + b"1" + b"}" * 2_000),
                Frame(b'{"type":"ping","payload":"' + b"x" * LARGE + b'"}'),
                Frame(b'{"type":"ping","payload":' + b"9" * 5_000 + b"}"),
                Frame(b'{"type":"ping","type":"nonsense"}'),
                Frame(b"\x00"),
                Frame(b"\xed\xa0\x80"),
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class Talk:
    """`begins` with the protocol's first message; `waits` for answers, else it just leaves."""

    begins: bool
    sent: tuple[Frame, ...]
    waits: bool


def talks(role: Role) -> st.SearchStrategy[Talk]:
    some = st.lists(frames(role), max_size=8).map(tuple)
    begins = st.sampled_from((True, True, True, False))
    return st.builds(Talk, begins, some, st.sampled_from((True, True, False)))


def hold(url: str, role: Role, tally: Tally, talk: Talk) -> None:
    """Raises Finding."""
    address = f"ws{url.removeprefix('http')}/graphql"
    try:
        with connect(
            address,
            subprotocols=[Subprotocol(PROTOCOL)],
            additional_headers=role.headers,
            proxy=None,
            compression=None,
            max_size=None,
            close_timeout=1,
        ) as socket:
            tally.count("socket", role.name, _talk(socket, role, talk))
    except InvalidStatus as refused:
        if refused.response.status_code >= 500:
            raise Finding(f"upgrade refused: {refused}") from refused
        tally.count("socket", role.name, refused.response.status_code)


def _talk(socket: ClientConnection, role: Role, talk: Talk) -> str:
    """How it ended."""
    try:
        if talk.begins:
            socket.send('{"type":"connection_init"}')
        for frame in talk.sent:
            socket.send(frame.raw, text=not frame.binary)
        if not talk.waits:
            return "left"
        socket.send(json.dumps(LAST))
        _read(socket, role, json_pings(talk.sent) + 1)
    except ConnectionClosed as closed:
        code = None if closed.rcvd is None else closed.rcvd.code
        if code not in CLOSE_CODES:
            raise Finding(f"closed with {code}: {closed}") from closed
        return str(code)
    except TimeoutError as error:
        raise Finding("neither an answer nor a close") from error
    return "answered"


def json_pings(sent: Iterable[Frame]) -> int:
    """How many of them ask for a pong, as far as the server gets."""
    return sum(_type(frame.raw) == "ping" for frame in sent)


def _type(raw: bytes) -> object:
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return message.get("type") if isinstance(message, dict) else None


def _read(socket: ClientConnection, role: Role, pongs: int) -> None:
    while pongs:
        message = json.loads(socket.recv(ANSWER_S))
        if message["type"] not in TYPES:
            raise Finding(f"unknown message {message}")
        if message["type"] == "next":
            check_payload(role, message["payload"])
        if message["type"] == "error":
            check_errors(message["payload"])
        pongs -= message["type"] == "pong"
