"""A vendor's refusals and a network's faults as errors of ours, without the API key."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import orjson

from goclaw.core.errors import (
    GatewayError,
    RateLimited,
    UpstreamFailed,
    UpstreamTimeout,
)
from goclaw.core.nuls import without_nuls
from goclaw.providers.config import CONNECT, Limit, ProviderConfig

REASON_LIMIT: Final = 300
_RETRY_DEFAULT_S: Final = 5
_RETRY_LIMIT_S: Final = 3600
_READ_BYTES: Final = 4096
"""Of an error's body, to tell what kind of error it is."""
# Google and xAI answer a bad key with 400.
_KEY_REASONS: Final = (
    "API_KEY_INVALID",
    "API key not valid",
    "invalid_api_key",
    "Incorrect API key",
)
# A pause does not help here: the account is empty.
_QUOTA_REASONS: Final = ("insufficient_quota", "billing_error", "credit balance is too low")
_TOO_LONG: Final = re.compile(
    r"context_length_exceeded|exceed_context_size|request_too_large|prompt is too long"
    r"|maximum context length|context window|exceeds the available context"
    r"|input token count[^.]{0,40} exceeds",
    re.IGNORECASE,
)
# What an error in the middle of a success would have been as a status.
_STATUSES: Final = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "invalid_request_error": 400,
    "billing_error": 402,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
}
CLOSED: Final = "the connection was closed without an answer"
_UNTRUSTED: Final = "its certificate is not trusted"
_NO_TLS: Final = "no TLS connection"
LASTING: Final = frozenset({_UNTRUSTED, _NO_TLS, "its address is not a URL"})
"""Reasons that trying again does not change."""
_WORD: Final = re.compile(r"[^\s\"'<>(){},;=]{8,}")


def refused(
    config: ProviderConfig, status: int, headers: Mapping[str, str], body: bytes
) -> GatewayError:
    """The error behind an HTTP answer that is not a success."""
    provider = config.name
    detail = _loads(body)
    if status in (401, 403) or (status == 400 and _names(body, _KEY_REASONS)):
        return UpstreamFailed("upstream_credential", provider=provider, status=status)
    if status == 402 or (status in (400, 429) and _names(body, _QUOTA_REASONS)):
        return UpstreamFailed("upstream_quota", provider=provider, status=status)
    if status == 429:
        wait_s = retry_after_s(headers, detail)
        wait_s = _RETRY_DEFAULT_S if wait_s is None else wait_s
        return RateLimited(
            "upstream_rate_limited", provider=provider, status=status, retry_after_s=wait_s
        )
    reason = _message(detail) or _phrase(status)
    code = "upstream_refused" if 300 <= status < 500 and status != 408 else "upstream_failed"
    if status in (400, 413, 422) and _TOO_LONG.search(body[:_READ_BYTES].decode(errors="replace")):
        code = "upstream_context_exceeded"
    return UpstreamFailed(
        code,
        provider=provider,
        status=status,
        reason=scrubbed(f"HTTP {status}: {reason}", config),
        retry_after_s=retry_after_s(headers, detail),
    )


def failed_inside(config: ProviderConfig, error: object) -> GatewayError:
    """An `error` in an answer that began as a success: as if its status had told it at once."""
    status = _status_inside(error)
    if status is not None:
        return refused(config, status, {}, orjson.dumps({"error": error}))
    reason = _message(error) or "the vendor gave no reason"
    return UpstreamFailed(
        "upstream_failed",
        provider=config.name,
        status=200,
        reason=scrubbed(reason, config),
    )


def _status_inside(error: object) -> int | None:
    if not isinstance(error, dict):
        return None
    for key in ("code", "status", "type"):
        word = error.get(key)
        if isinstance(word, str) and word in _STATUSES:
            return _STATUSES[word]
        if str(word).isdecimal() and 400 <= int(str(word)) < 600:
            return int(str(word))
    return None


def garbage(config: ProviderConfig, reason: str) -> GatewayError:
    return UpstreamFailed("upstream_garbage", provider=config.name, reason=scrubbed(reason, config))


def cut(config: ProviderConfig) -> GatewayError:
    return UpstreamFailed("upstream_cut", provider=config.name)


def timed_out(config: ProviderConfig, limit: Limit) -> GatewayError:
    """The limit's name tells what was waited for."""
    return UpstreamTimeout(
        "upstream_timeout",
        provider=config.name,
        limit=limit.name,
        timeout_s=f"{limit.seconds:g}",
    )


def network_failure(
    config: ProviderConfig, error: Exception, connect_s: float, limit: Limit, *, begun: bool
) -> GatewayError:
    """`begun`: the answer's head had come; `limit` is what a silence has passed."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return timed_out(config, Limit(CONNECT, connect_s))
        case TimeoutError():
            return timed_out(config, limit)
        case aiohttp.ClientResponseError():
            return garbage(config, "not HTTP")
        case _ if begun:
            return cut(config)
    return UpstreamFailed(
        "upstream_unreachable", provider=config.name, reason=_network_reason(error)
    )


def _network_reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name cannot be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return _UNTRUSTED
        case aiohttp.ClientConnectorSSLError():
            return _NO_TLS
        case aiohttp.ClientConnectorError(os_error=OSError(strerror=str(reason))):
            return reason.lower()
    return CLOSED


def scrubbed(text: str, config: ProviderConfig) -> str:
    """Without the key or any piece of it that has 8 characters, or any other secret, cut to
    `REASON_LIMIT`.
    """
    api_key = config.api_key
    text = " ".join(text.split())
    if api_key:
        text = text.replace(api_key, "***")
        text = _WORD.sub(lambda word: _masked(word[0], api_key), text)
    text = config.scrub(text)
    return text if len(text) <= REASON_LIMIT else text[: REASON_LIMIT - 1] + "…"


def _masked(word: str, api_key: str) -> str:
    pieces = (word[start : start + 8] for start in range(len(word) - 7))
    return "***" if any(piece in api_key for piece in pieces) else word


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(without_nuls(body))
    except orjson.JSONDecodeError:
        return None


def _message(detail: Any) -> str:
    """Vendors nest it as error.message, message, detail, error, or in a list of one."""
    if isinstance(detail, list) and detail:
        detail = detail[0]
    if isinstance(detail, str):
        return detail
    if not isinstance(detail, dict):
        return ""
    for key in ("error", "message", "detail", "msg", "type"):
        if found := _message(detail.get(key)):
            return found
    return ""


def _names(body: bytes, reasons: tuple[str, ...]) -> bool:
    text = body[:_READ_BYTES].decode(errors="replace")
    return any(reason in text for reason in reasons)


def _phrase(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects to another address, which is not followed"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def retry_after_s(headers: Mapping[str, str], detail: Any = None) -> int | None:
    """Retry-After in seconds or as a date, else Google's RetryInfo; rounded up."""
    given = headers.get("Retry-After", "").strip() or _retry_delay(detail)
    try:
        wait_s: float | None = float(given)
    except ValueError:
        wait_s = _until(given)
    if wait_s is None or math.isnan(wait_s):
        return None
    return math.ceil(min(max(wait_s, 0), _RETRY_LIMIT_S))


def _until(date: str) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when - datetime.now(UTC)).total_seconds()


def _retry_delay(detail: Any) -> str:
    if isinstance(detail, list) and detail:
        detail = detail[0]
    error = detail.get("error") if isinstance(detail, dict) else None
    notes = error.get("details") if isinstance(error, dict) else None
    for note in notes if isinstance(notes, list) else ():
        delay = note.get("retryDelay") if isinstance(note, dict) else None
        if isinstance(delay, str):
            return delay.removesuffix("s")
    return ""
