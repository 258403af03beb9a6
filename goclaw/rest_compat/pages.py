"""What is read about this door: the OpenAPI document, and the same for people.

The page is made here, without a script and with nothing from elsewhere, so it works offline.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from goclaw.rest_compat.docs_page import page
from goclaw.rest_compat.exchange import Exchange
from goclaw.rest_compat.openapi import document, rendered

ANY_ORIGIN: Final = ((b"access-control-allow-origin", b"*"),)
POLICY: Final = (
    b"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'"
)
HTML_HEADERS: Final = ((b"content-security-policy", POLICY),)
STYLE: Final = files("goclaw.rest_compat") / "docs.css"


async def openapi_json(exchange: Exchange, _: Mapping[str, str]) -> None:
    exchange.cors = ()
    body = rendered(exchange.scope.get("root_path") or "/")
    await exchange.respond(200, body, headers=ANY_ORIGIN)


async def docs(exchange: Exchange, _: Mapping[str, str]) -> None:
    body = docs_page(exchange.scope.get("root_path", ""))
    await exchange.respond(200, body, b"text/html; charset=utf-8", HTML_HEADERS)


@cache
def docs_page(prefix: str) -> bytes:
    return page(document(), prefix).encode()


async def docs_style(exchange: Exchange, _: Mapping[str, str]) -> None:
    await exchange.respond(200, STYLE.read_bytes(), b"text/css; charset=utf-8")


PAGES: Final[dict[str, Callable[[Exchange, Mapping[str, str]], Awaitable[None]]]] = {
    "/v1/openapi.json": openapi_json,
    "/docs": docs,
    "/docs/": docs,
    "/docs/style.css": docs_style,
}
