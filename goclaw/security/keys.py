"""The forms an encryption key may be given in, and the id it is told by."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from goclaw.core.settings import InvalidSettings

KEY_BYTES: Final = 32
CURRENT_SETTING: Final = "GOCLAW_ENCRYPTION_KEY"


class UnusableKey(InvalidSettings):
    """The text names the setting or the file, never the key."""


@dataclass(frozen=True, slots=True)
class Key:
    raw: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """8 hex characters that may be shown."""
        return sha256(self.raw).hexdigest()[:8]


def parse_key(text: str, source: str = CURRENT_SETTING) -> Key:
    """64 hex characters, 44 characters of base64, or 32 bytes as they are.

    Raises UnusableKey, which names `source`.
    """
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return Key(bytes.fromhex(text))
    if len(text) == 44 and text.endswith("="):
        try:
            raw = b64decode(text, validate=True)
        except (Base64Error, ValueError) as error:
            raise UnusableKey(f"{source}: the key is not valid base64") from error
        if len(raw) == KEY_BYTES:
            return Key(raw)
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise UnusableKey(f"{source}: the key is not valid UTF-8") from error
    if len(raw) != KEY_BYTES:
        raise UnusableKey(f"{source}: a key is 64 hex characters, 44 of base64, or 32 bytes")
    return Key(raw)
