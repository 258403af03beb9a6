"""A place in the event log, and its opaque text."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple
from uuid import UUID

from goclaw.core.errors import InvalidInput

XID_BYTES: Final = 8
TEXT_LENGTH: Final = 32
MAX_XID: Final = 2**63 - 1


class Cursor(NamedTuple):
    """The transaction id comes first: ids commit out of order, transactions settle in order."""

    xid: int
    id: UUID

    @property
    def time_s(self) -> float:
        """When it was given out, in seconds since the epoch (ids are UUIDv7)."""
        return (self.id.int >> 80) / 1000


def encode_cursor(cursor: Cursor) -> str:
    return urlsafe_b64encode(cursor.xid.to_bytes(XID_BYTES) + cursor.id.bytes).decode()


def decode_cursor(text: str, field: str = "after") -> Cursor:
    """Raises InvalidInput for text that `encode_cursor` did not make."""
    try:
        raw = urlsafe_b64decode(text)
    except ValueError as error:
        raise InvalidInput("invalid_cursor", field=field) from error
    cursor = Cursor(int.from_bytes(raw[:XID_BYTES]), UUID(bytes=raw[XID_BYTES:].ljust(16)[:16]))
    if len(text) != TEXT_LENGTH or cursor.xid > MAX_XID or encode_cursor(cursor) != text:
        raise InvalidInput("invalid_cursor", field=field)
    return cursor
