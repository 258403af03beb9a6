"""What every answer tells a browser, and where its caller stands."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from goclaw.security.rates import QUOTA, WINDOW_S

Lines = list[tuple[bytes, bytes]]

NOTHING: Final = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For what is no page: opened as one it may do nothing."""

ALWAYS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"content-security-policy", NOTHING),
)
"""The resource policy is about pages that embed an answer unasked; CORS requests pass it."""

POLICY: Final = b"content-security-policy"
OTHERS: Final = tuple(line for line in ALWAYS if line[0] != POLICY)

TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")
"""Not for subdomains, which may be other people's."""


def completed(headers: Iterable[tuple[bytes, bytes]], *, secure: bool) -> Lines:
    """With a policy for what is no page, where the answer has none of its own, and the rest."""
    lines = list(headers)
    said = [line[0] for line in lines]
    lines += OTHERS if POLICY in said else ALWAYS
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
