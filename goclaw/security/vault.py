"""Secrets at rest: AES-256-GCM, bound to the table, column and row they belong to."""

import os
from base64 import b64decode, b64encode
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from goclaw.core.errors import Unavailable
from goclaw.models.sealed import SealedColumn
from goclaw.security.key_ring import KeyRing
from goclaw.security.keys import Key

VERSION: Final = "v1"
LEGACY: Final = "aes-gcm:"
NONCE_BYTES: Final = 12


class Vault:
    """Text is `v1:<key id>:<base64 of nonce, ciphertext and tag>`.

    What older servers wrote is read too: `aes-gcm:<base64 of the same>`, bound to nothing and
    without the id of a key. Text of neither form is no secret: it is refused, not handed out.
    """

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys

    def seal(self, secret: str, place: SealedColumn, row: UUID) -> str:
        """With the key that writes. Raises Unavailable without one, ValueError for no secret."""
        if not secret:
            raise ValueError("there is nothing to seal")
        key = self.keys.writing()
        if key is None:
            raise Unavailable("encryption_key_missing")
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(key.raw).encrypt(nonce, secret.encode(), _bound_to(place, row))
        return f"{sealed_with(key)}{b64encode(nonce + sealed).decode()}"

    def open(self, text: str, place: SealedColumn, row: UUID) -> str:
        """Raises Unavailable without the key, and when the text was moved or changed."""
        try:
            if text.startswith(LEGACY):
                return self._open_legacy(text.removeprefix(LEGACY))
            version, key_id, encoded = text.split(":")
            key = self.keys.find(key_id)
            if version != VERSION or key is None:
                raise self._unreadable()
            return _decrypt(key, _decode(encoded), _bound_to(place, row))
        except (ValueError, InvalidTag) as error:
            raise self._unreadable() from error

    def is_current(self, text: str) -> bool:
        """In our own format, with the key that writes."""
        key = self.keys.writing()
        return key is not None and text.startswith(sealed_with(key))

    def _open_legacy(self, encoded: str) -> str:
        raw = _decode(encoded)
        for key in self.keys.reading():
            try:
                return _decrypt(key, raw, None)
            except InvalidTag:
                continue
        raise self._unreadable()

    def _unreadable(self) -> Unavailable:
        known = self.keys.reading()
        return Unavailable("secret_unreadable" if known else "encryption_key_missing")


def sealed_with(key: Key) -> str:
    """What every text begins with that this key has sealed."""
    return f"{VERSION}:{key.id}:"


def _decrypt(key: Key, raw: bytes, bound: bytes | None) -> str:
    """Raises InvalidTag, and ValueError for what cannot be a secret."""
    secret = AESGCM(key.raw).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound).decode()
    if not secret:
        raise ValueError("an empty secret")
    return secret


def _decode(encoded: str) -> bytes:
    """Only the one spelling of the bytes, so that no changed text means the same."""
    raw = b64decode(encoded, validate=True)
    if b64encode(raw).decode() != encoded:
        raise ValueError("not what was written")
    return raw


def _bound_to(place: SealedColumn, row: UUID) -> bytes:
    return f"{place}:{row}".encode()
