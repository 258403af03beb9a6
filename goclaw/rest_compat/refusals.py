"""Errors as this door tells them: its own format, and OpenAI's for OpenAI's clients."""

from collections.abc import Mapping
from typing import Any, Final

from goclaw.core.errors import GatewayError
from goclaw.core.locales import Locale
from goclaw.rest_compat.exchange import Exchange, Headers
from goclaw.rest_compat.views import dumps

OPENAI_TYPES: Final = {402: "insufficient_quota", 429: "rate_limit_error"}


def openai_error(error: GatewayError, locale: Locale, field: str | None = None) -> dict[str, Any]:
    """The object that OpenAI's clients read. `field` is what the caller calls it."""
    field = field or error.field
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    return {
        "message": error.text(locale, field),
        "type": OPENAI_TYPES.get(error.status, kind),
        "param": field,
        "code": error.code,
    }


def own_error(error: GatewayError, locale: Locale, field: str | None = None) -> dict[str, Any]:
    field = field or error.field
    body: dict[str, Any] = {"error": error.text(locale, field), "code": error.code}
    if field is not None:
        body["field"] = field
    return body


class Internal(GatewayError):
    """A bug, told without its cause."""

    def __init__(self, request_id: str) -> None:
        super().__init__("internal", request_id=request_id)


def error_headers(error: GatewayError, locale: Locale) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-language", locale.encode()), (b"vary", b"Accept-Language")]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.retry_after_s is not None:
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    if error.status == 405:
        headers.append((b"allow", str(error.params["allowed"]).encode()))
    return headers


async def refuse(
    exchange: Exchange,
    error: GatewayError,
    *,
    openai: bool,
    names: Mapping[str, str] | None = None,
    headers: Headers = (),
) -> None:
    """`names` maps fields to what the caller called them."""
    locale = exchange.locale
    field = None if error.field is None else renamed(error.field, names or {})
    told = own_error(error, locale, field)
    if openai:
        told = {"error": openai_error(error, locale, field)}
    more = (*error_headers(error, locale), *headers)
    await exchange.respond(error.status, dumps(told), headers=more)


def renamed(field: str, names: Mapping[str, str]) -> str:
    """Only the first step of a path such as `messages.0.role` can have another name."""
    first, dot, rest = field.partition(".")
    return names.get(first, first) + dot + rest
