"""How an answer is written where it is not simply JSON."""

import zlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from goclaw.core.errors import GatewayError
from goclaw.core.files import Download
from goclaw.rest_compat.exchange import Exchange
from goclaw.rest_compat.hang_up import HangUp
from goclaw.rest_compat.live_response import LiveResponse
from goclaw.rest_compat.refusals import own_error
from goclaw.rest_compat.route import Encoder, Route
from goclaw.rest_compat.views import dumps, utc_now, writer

GZIP: Final = 16 + zlib.MAX_WBITS
"""zlib writes a gzip file (RFC 1952) with this window."""


async def send_json(exchange: Exchange, route: Route, body: Any) -> None:
    await exchange.respond(route.status, dumps(body))


def gzip_file(name: Callable[[Any], str]) -> Encoder:
    """A JSON file to keep, compressed, with the time of its making; `name` is made from it."""

    async def encode(exchange: Exchange, route: Route, body: Any) -> None:
        content = {"exported_at": utc_now(), **body}
        packer = zlib.compressobj(wbits=GZIP)
        packed = packer.compress(dumps(content)) + packer.flush()
        headers = [(b"content-disposition", attachment(name(content)))]
        await exchange.respond(route.status, packed, b"application/gzip", headers)

    return encode


async def send_file(exchange: Exchange, route: Route, file: Download) -> None:
    headers = [
        (b"content-type", file.media_type.encode("latin-1", "replace")),
        (b"content-disposition", attachment(file.name)),
    ]
    if file.size_bytes is not None:
        headers.append((b"content-length", str(file.size_bytes).encode()))
    async with HangUp(exchange.receive):
        await exchange.start(route.status, headers)
        async for chunk in file.chunks:
            await exchange.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await exchange.send({"type": "http.response.body", "body": b""})


def attachment(name: str) -> bytes:
    """RFC 6266: a plain name for old clients, the whole one for the others."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}".encode()


async def send_events(exchange: Exchange, route: Route, items: Any) -> None:
    """One server-sent event for each item; what fails after the first byte is an event too."""
    write = (lambda item: item) if route.view is None else writer(route.view).one
    async with HangUp(exchange.receive):
        live = LiveResponse(exchange, ())
        try:
            async for item in items:
                await live.write(b"data: " + dumps(write(item)) + b"\n\n")
            await live.end()
        except GatewayError as error:
            if not live.started:
                raise
            told = dumps(own_error(error, exchange.locale))
            await live.end(b"event: error\ndata: " + told + b"\n\n")
        finally:
            live.close()
            await items.aclose()
