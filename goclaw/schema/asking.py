"""From an HTTP request to what is asked (GraphQL over HTTP, draft of 2025)."""

from typing import Any, Final
from urllib.parse import parse_qs

import orjson

from goclaw.core.errors import InvalidInput, UnsupportedMedia
from goclaw.core.reasons import Reason
from goclaw.schema.exchange import MAX_BODY_BYTES, Exchange
from goclaw.schema.execution import Asked

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"
MULTIPART: Final = "multipart/mixed"
HTML: Final = "text/html"
ANY: Final = ("*/*", "application/*")
MAX_FIELDS: Final = 20


def accepted(header: str | None, *offered: str) -> str | None:
    """The offer the client likes best; the first one where it has no preference."""
    best: str | None = None
    best_weight = 0.0
    for part in (header or "*/*").lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        offer = offered[0] if name in ANY else name
        weight = _weight(parameters)
        if offer in offered and weight > best_weight:
            best, best_weight = offer, weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def from_url(call: Exchange) -> Asked:
    """Raises InvalidInput."""
    query_string = call.scope.get("query_string", b"")
    if len(query_string) > MAX_BODY_BYTES:
        raise InvalidInput("invalid_input", field="query", reason=Reason("long_url"))
    try:
        given = parse_qs(query_string.decode("ascii"), max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        reason = Reason("url_encoding")
        raise InvalidInput("invalid_input", field="query", reason=reason) from error
    data: dict[str, Any] = {name: values[-1] for name, values in given.items()}
    for name in ("variables", "extensions"):
        if data.get(name):
            data[name] = _json(data[name].encode(), name)
    return asked_of(data)


async def from_body(call: Exchange) -> Asked:
    """Raises UnsupportedMedia, TooLarge, InvalidInput."""
    check_content_type(call.header(b"content-type"))
    data = _json(await call.body(), None)
    if isinstance(data, list):
        raise InvalidInput("batch_refused")
    return asked_of(data)


def check_content_type(header: str | None) -> None:
    """Only JSON: a form of another site cannot send that. Raises UnsupportedMedia."""
    media_type, *parameters = (part.strip().lower() for part in (header or "").split(";"))
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if media_type != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        sent = (header or "a body without Content-Type")[:100]
        raise UnsupportedMedia("unsupported_media", content_type=sent, expected=JSON)


def asked_of(data: object) -> Asked:
    """Raises InvalidInput."""
    if not isinstance(data, dict):
        raise InvalidInput("invalid_json", reason=Reason("json_object"))
    query = data.get("query")
    if query is None:
        raise InvalidInput("required", field="query")
    name = data.get("operationName")
    variables = data.get("variables")
    _check(query, str, "query", "string")
    _check(name, str | None, "operationName", "string")
    _check(variables, dict | None, "variables", "object")
    _check(data.get("extensions"), dict | None, "extensions", "object")
    return Asked(query, name or None, variables or {})


def _check(value: object, kind: Any, field: str, reason: str) -> None:
    if not isinstance(value, kind):
        raise InvalidInput("invalid_input", field=field, reason=Reason(reason))


def _json(text: bytes, field: str | None) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if field is None:
            raise InvalidInput("invalid_json", reason=error.msg) from error
        raise InvalidInput("invalid_input", field=field, reason=Reason("json")) from error
