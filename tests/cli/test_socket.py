"""What a client may send on a socket without a word of it in the log."""

import asyncio
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from goclaw.cli.worker import serving
from goclaw.core.settings import Settings

NO_TEXT = b"\x92\x85\xed"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Says everything back, until the client leaves."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
async def port(tmp_path: Any) -> Any:
    config = serving(app, Settings(data_dir=tmp_path))
    config.port = 0
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@pytest.mark.parametrize("frames", [1, 2, 20_000])
async def test_text_that_is_none_closes_the_socket_and_leaves_no_trace(
    port: int, frames: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
        await socket.send("déjà vu")
        assert await socket.recv() == "déjà vu"
        socket.transport.write(
            b"".join(Frame(Opcode.TEXT, NO_TEXT).serialize(mask=True) for _ in range(frames))
        )
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    assert [line for line in caplog.records if line.levelname == "ERROR"] == []


async def test_text_may_come_in_pieces_that_are_none(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
        raw = "é".encode()
        pieces = (Frame(Opcode.TEXT, raw[:1], fin=False), Frame(Opcode.CONT, raw[1:]))
        socket.transport.write(b"".join(piece.serialize(mask=True) for piece in pieces))
        assert await socket.recv() == "é"


async def test_a_client_that_leaves_at_once_is_no_error(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Its close comes with the text that is none, before or after it."""
    leave = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big"))
    for frames in ((leave, Frame(Opcode.TEXT, NO_TEXT)), (Frame(Opcode.TEXT, NO_TEXT), leave)):
        async with connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
            socket.transport.write(b"".join(frame.serialize(mask=True) for frame in frames))
            with pytest.raises(ConnectionClosed):
                await socket.recv()
    assert [line for line in caplog.records if line.levelname == "ERROR"] == []
