"""Tokens and API keys: how they look, how they are kept, how they are compared."""

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from secrets import token_hex
from typing import Final

KEY: Final = re.compile(r"goclaw_[0-9a-f]{32}")
PREFIX_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `text` is told once, `prefix` and `hash` are kept."""

    text: str
    prefix: str
    hash: str

    def __repr__(self) -> str:
        return f"NewKey(prefix={self.prefix!r})"


def new_key() -> NewKey:
    """`goclaw_` and 128 random bits in hex."""
    secret = token_hex(16)
    text = f"goclaw_{secret}"
    return NewKey(text, secret[:PREFIX_LENGTH], key_hash(text))


def key_hash(token: str) -> str:
    """SHA-256 of the whole text in hex; the random bits need no salt."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def looks_like_key(token: str) -> bool:
    return KEY.fullmatch(token) is not None


def is_hash_of(given: str, token: str) -> bool:
    """Whether `given` is `key_hash(token)`. Hashes are compared, so that the time tells neither
    content nor length of the token.
    """
    return hmac.compare_digest(given, _own_hash(token))


@lru_cache(maxsize=1)
def _own_hash(token: str) -> str:
    """Of the one token that all that are given are compared with."""
    return key_hash(token)


def bearer(authorization: str | None) -> str | None:
    """The token of an Authorization header; the scheme's case does not matter (RFC 9110)."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
