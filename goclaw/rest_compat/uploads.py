"""multipart/form-data (RFC 7578): files and the fields beside them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from goclaw.core.errors import InvalidInput, TooLarge, UnsupportedMedia
from goclaw.core.files import Upload
from goclaw.rest_compat.exchange import ClientGone, Exchange

EXPECTED: Final = "multipart/form-data"
MAX_FILES: Final = 20
MAX_FIELDS: Final = 100


@asynccontextmanager
async def form_of(exchange: Exchange) -> AsyncIterator[dict[str, Any]]:
    """Fields as text, files as `Upload`, closed at the end of the block.

    Raises UnsupportedMedia, TooLarge, InvalidInput.
    """
    media_type = (exchange.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != EXPECTED:
        raise UnsupportedMedia(
            "unsupported_media", content_type=media_type[:100] or "nothing", expected=EXPECTED
        )
    parser = MultiPartParser(
        Headers(raw=exchange.scope["headers"]),
        _limited(exchange),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=exchange.max_body_bytes,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        reason = error.message if isinstance(error, MultiPartException) else "no boundary"
        raise InvalidInput("invalid_input", field="body", reason=reason) from error
    try:
        yield {name: _value(value) for name, value in form.items()}
    finally:
        await form.close()


def _value(value: UploadFile | str) -> Upload | str:
    if isinstance(value, str):
        return value
    return Upload(value.filename or "", value.content_type or "", value.size or 0, value.file)


async def _limited(exchange: Exchange) -> AsyncGenerator[bytes, None]:
    size = 0
    while True:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > exchange.max_body_bytes:
            raise TooLarge("body_too_large", limit_bytes=exchange.max_body_bytes)
        yield chunk
        if not message.get("more_body"):
            return
