"""Secrets at rest: AES-256-GCM, bound to the table, column and row they belong to."""

import os
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from goclaw.core.errors import Unavailable

VERSION: Final = "v1"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
KEY_FILE: Final = "encryption.key"


class KeyFormatError(ValueError):
    """The text is none of the three forms a key may have."""


def parse_key(text: str) -> bytes:
    """64 hex characters, 44 characters of base64, or 32 characters as they are."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    if len(text) == 44 and text.endswith("="):
        try:
            key = b64decode(text, validate=True)
        except Base64Error as error:
            raise KeyFormatError("the encryption key is not valid base64") from error
        if len(key) == KEY_BYTES:
            return key
    if len(text.encode()) == KEY_BYTES:
        return text.encode()
    raise KeyFormatError("the encryption key must be 64 hex characters, 44 of base64, or 32 bytes")


def key_in_folder(data_dir: Path) -> str:
    """The key of the embedded set-up, made on first use and readable by its owner alone."""
    path = data_dir / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(os.urandom(KEY_BYTES).hex())
    return path.read_text().strip()


class Vault:
    """Text is `v1:<key id>:<base64 of nonce, ciphertext and tag>`.

    Without a key nothing can be stored; what is stored cannot be read.
    """

    def __init__(self, key: bytes | None) -> None:
        self._cipher = None if key is None else AESGCM(key)
        self.key_id = "" if key is None else sha256(key).hexdigest()[:8]

    @property
    def is_open(self) -> bool:
        return self._cipher is not None

    def seal(self, secret: str, table: str, column: str, row: UUID) -> str:
        """Raises Unavailable without a key."""
        if self._cipher is None:
            raise Unavailable("encryption_key_missing")
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, secret.encode(), _bound_to(table, column, row))
        return f"{VERSION}:{self.key_id}:{b64encode(nonce + sealed).decode()}"

    def open(self, text: str, table: str, column: str, row: UUID) -> str:
        """Raises Unavailable when the key is another one or the text was moved or changed."""
        if self._cipher is None:
            raise Unavailable("encryption_key_missing")
        try:
            version, key_id, encoded = text.split(":")
            raw = b64decode(encoded, validate=True)
            if (version, key_id) != (VERSION, self.key_id):
                raise Unavailable("secret_unreadable")
            bound = _bound_to(table, column, row)
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound).decode()
        except (ValueError, InvalidTag) as error:
            raise Unavailable("secret_unreadable") from error


def _bound_to(table: str, column: str, row: UUID) -> bytes:
    return f"{table}.{column}:{row}".encode()
