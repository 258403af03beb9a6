"""What every answer tells a browser, and where its caller stands."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from goclaw.security.rates import QUOTA, WINDOW_S

Lines = list[tuple[bytes, bytes]]

NOTHING: Final = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For what is no page: opened as one it may do nothing."""

POLICY: Final = b"content-security-policy"

ALWAYS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (POLICY, NOTHING),
)
"""The resource policy is about pages that embed an answer unasked; CORS requests pass it."""

OF_PAGES: Final[tuple[tuple[bytes, bytes], ...]] = (
    *(line for line in ALWAYS if line[0] != POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""Beside a policy of their own. What follows links, opens windows and asks for a camera is a page
alone: other answers need not say that they may not.
"""

TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")
"""Not for subdomains, which may be other people's."""


def completed(headers: Iterable[tuple[bytes, bytes]], *, secure: bool) -> Lines:
    """What has a policy of its own is a page."""
    lines = list(headers)
    said = [line[0] for line in lines]
    lines += OF_PAGES if POLICY in said else ALWAYS
    if secure:
        lines.append(TRANSPORT)
    quota = QUOTA.get()
    if quota is not None:
        lines.append((b"ratelimit-policy", policy(quota.subject, quota.limit)))
        state = b'"%b";r=%d;t=%d' % (quota.subject.encode(), quota.left, quota.reset_s)
        lines.append((b"ratelimit", state))
    return lines


@lru_cache(maxsize=1024)
def policy(subject: str, limit: int) -> bytes:
    """As draft-ietf-httpapi-ratelimit-headers writes it."""
    return f'"{subject}";q={limit};w={WINDOW_S}'.encode()
