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
from goclaw.providers.config import ProviderConfig

REASON_LIMIT: Final = 300
_RETRY_DEFAULT_S: Final = 5
_RETRY_LIMIT_S: Final = 3600
# Google and xAI answer a bad key with 400.
_KEY_REASONS: Final = (
    "API_KEY_INVALID",
    "API key not valid",
    "invalid_api_key",
    "Incorrect API key",
)
_WORD: Final = re.compile(r"[^\s\"'<>(){},;=]{8,}")


def refused(
    config: ProviderConfig, status: int, headers: Mapping[str, str], body: bytes
) -> GatewayError:
    """The error behind an HTTP answer that is not a success."""
    provider = config.name
    detail = _loads(body)
    if status in (401, 403) or (status == 400 and _names_key(body)):
        return UpstreamFailed("upstream_credential", provider=provider, status=status)
    if status == 429:
        wait_s = _retry_after_s(headers, detail)
        wait_s = _RETRY_DEFAULT_S if wait_s is None else wait_s
        return RateLimited(
            "upstream_rate_limited", provider=provider, status=status, retry_after_s=wait_s
        )
    reason = _message(detail) or _phrase(status)
    code = "upstream_refused" if 300 <= status < 500 and status != 408 else "upstream_failed"
    return UpstreamFailed(
        code,
        provider=provider,
        status=status,
        reason=scrubbed(f"HTTP {status}: {reason}", config),
        retry_after_s=_retry_after_s(headers, detail),
    )


def failed_inside(config: ProviderConfig, error: object) -> GatewayError:
    """An `error` in an answer that began as a success."""
    reason = _message(error) or "the vendor gave no reason"
    return UpstreamFailed(
        "upstream_failed",
        provider=config.name,
        status=200,
        reason=scrubbed(reason, config),
    )


def garbage(config: ProviderConfig, reason: str) -> GatewayError:
    return UpstreamFailed("upstream_garbage", provider=config.name, reason=scrubbed(reason, config))


def cut(config: ProviderConfig) -> GatewayError:
    return UpstreamFailed("upstream_cut", provider=config.name)


def timed_out(config: ProviderConfig, timeout_s: float) -> GatewayError:
    return UpstreamTimeout("upstream_timeout", provider=config.name, timeout_s=f"{timeout_s:g}")


def network_failure(
    config: ProviderConfig, error: Exception, connect_s: float, read_s: float, *, begun: bool
) -> GatewayError:
    """`begun`: the answer's head had come."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return timed_out(config, connect_s)
        case TimeoutError():
            return timed_out(config, read_s)
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
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorSSLError():
            return "no TLS connection"
        case aiohttp.ClientConnectorError(os_error=OSError(strerror=str(reason))):
            return reason.lower()
    return "the connection was closed without an answer"


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
        return orjson.loads(body)
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


def _names_key(body: bytes) -> bool:
    text = body[:4096].decode(errors="replace")
    return any(reason in text for reason in _KEY_REASONS)


def _phrase(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects to another address, which is not followed"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def _retry_after_s(headers: Mapping[str, str], detail: Any) -> int | None:
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
