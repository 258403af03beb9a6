"""`python -m bench.upstream <port>`: a model vendor that never has to think.

Written on the bare protocol, so that it takes little of the core it shares with the load.
"""

import asyncio
import re
import sys
from typing import Final, cast

import uvloop

from bench.answers import DELTAS, PACE_S, PACED, answer, deltas, ending, event

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STREAM: Final = re.compile(rb'"stream": ?true')


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


BODY: Final = answer()
REPLY: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + (
    b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
ROLE: Final = chunk(event({"role": "assistant", "content": ""}))
PIECES: Final = [chunk(delta) for delta in deltas()]
END: Final = b"".join(chunk(each) for each in ending()) + b"0\r\n\r\n"
BURST: Final = STREAM_HEAD + ROLE + b"".join(PIECES) + END


class Vendor(asyncio.Protocol):
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._began = 0.0

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
        if not STREAM.search(body):
            self._write(REPLY)
        elif PACED not in body:
            self._write(BURST)
        else:
            self._began = self._loop.time()
            self._write(STREAM_HEAD + ROLE + PIECES[0])
            self._loop.call_at(self._began + PACE_S, self._next, 1)

    def _next(self, number: int) -> None:
        if self._transport is None:
            return
        if number == DELTAS - 1:
            self._write(PIECES[number] + END)
            return
        self._write(PIECES[number])
        self._loop.call_at(self._began + (number + 1) * PACE_S, self._next, number + 1)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
