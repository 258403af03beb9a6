"""`python -m bench.upstream <port>`: a model vendor that never has to think.

Written on the bare protocol, so that it takes little of the core it shares with the load.
"""

import asyncio
import re
import sys
from typing import Final, cast

import uvloop

from bench.answers import (
    DELTAS,
    HELD,
    HOLD_S,
    LEISURE_S,
    LEISURELY,
    PACE_S,
    PACED,
    PROBED,
    answer,
    call_of_tool,
    deltas,
    ending,
    event,
    heard,
    streamed_call_of_tool,
)

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TOOLS: Final = re.compile(rb'"tools": ?\[')
CALLED: Final = re.compile(rb'"role": ?"tool"')
STREAM: Final = re.compile(rb'"stream": ?true')


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + (
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )


REPLY: Final = whole(answer())
CALL: Final = whole(call_of_tool())
STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
ROLE: Final = chunk(event({"role": "assistant", "content": ""}))
PIECES: Final = [chunk(delta) for delta in deltas()]
END: Final = b"".join(chunk(each) for each in ending()) + b"0\r\n\r\n"
BURST: Final = STREAM_HEAD + ROLE + b"".join(PIECES) + END
STREAMED_CALL: Final = STREAM_HEAD + (
    b"".join(chunk(each) for each in streamed_call_of_tool()) + b"0\r\n\r\n"
)


class Vendor(asyncio.Protocol):
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return
        self._received = b""
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        streamed = STREAM.search(body) is not None
        if TOOLS.search(body) and not CALLED.search(body):
            self._write(STREAMED_CALL if streamed else CALL)
        elif HELD in body:
            self._loop.call_later(HOLD_S, self._write, BURST if streamed else REPLY)
        elif streamed:
            self._stream(body)
        else:
            self._write(whole(heard(len(body))) if PROBED in body else REPLY)

    def _stream(self, body: bytes) -> None:
        if PACED in body:
            self._begin(PACE_S)
        elif LEISURELY in body:
            self._begin(LEISURE_S)
        else:
            self._write(BURST)

    def _begin(self, pace_s: float) -> None:
        began = self._loop.time()
        self._write(STREAM_HEAD + ROLE + PIECES[0])
        self._loop.call_at(began + pace_s, self._next, 1, began, pace_s)

    def _next(self, number: int, began: float, pace_s: float) -> None:
        if self._transport is None:
            return
        if number == DELTAS - 1:
            self._write(PIECES[number] + END)
            return
        self._write(PIECES[number])
        due = began + (number + 1) * pace_s
        self._loop.call_at(due, self._next, number + 1, began, pace_s)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
