"""What a signed-in page holds: a cookie no script can read, with a secret of its own."""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from goclaw.security.credentials import key_hash

SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
COOKIE: Final = "goclaw_session"
HOST_COOKIE: Final = "__Host-goclaw_session"
"""Browsers take one of such a name from this very host alone, not from a neighbour below it."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """256 random bits: `text` goes into the cookie, `hash` is kept."""

    text: str
    hash: str

    def __repr__(self) -> str:
        return "NewSecret()"


def new_secret() -> NewSecret:
    text = token_urlsafe(32)
    return NewSecret(text, key_hash(text))


def looks_like_secret(text: str) -> bool:
    return SECRET.fullmatch(text) is not None


def token_proof(secret: str, gateway_token: str) -> str:
    """Tells whether the gateway token has changed since, and tells nothing about the token to
    whoever reads the database: only the browser has the secret.
    """
    return hmac.new(secret.encode(), gateway_token.encode(), sha256).hexdigest()


def proves(proof: str | None, secret: str, gateway_token: str) -> bool:
    return proof is not None and hmac.compare_digest(proof, token_proof(secret, gateway_token))


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """`secure`: over https; `prefix` is the path under which a proxy publishes the server."""

    secure: bool
    prefix: str

    @property
    def name(self) -> str:
        return HOST_COOKIE if self.secure and not self.prefix else COOKIE

    def read(self, header: bytes) -> str | None:
        """The secret in a Cookie header, if there is one that looks like it."""
        name = f"{self.name}="
        for pair in header.decode("latin-1").split(";"):
            text = pair.strip()
            if text.startswith(name) and looks_like_secret(text[len(name) :]):
                return text[len(name) :]
        return None

    def set(self, secret: str, max_age_s: int) -> str:
        """The value of Set-Cookie."""
        parts = [f"{self.name}={secret}", f"Path={self.prefix or '/'}", f"Max-Age={max_age_s}"]
        parts += ["HttpOnly", "SameSite=Strict"]
        return "; ".join([*parts, "Secure"] if self.secure else parts)

    def clear(self) -> str:
        return self.set("", 0)
