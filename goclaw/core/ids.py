from typing import Final
from uuid import UUID, SafeUUID

from uuid_utils import uuid7 as _uuid7

_new: Final = UUID.__new__
_set_int: Final = UUID.__dict__["int"].__set__
_set_is_safe: Final = UUID.__dict__["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown


def uuid7() -> UUID:
    """Ids sort by the time they were made (RFC 9562, version 7).

    Set up by hand, slot by slot, as the constructor's checks take three times as long as the
    rest and a chat call makes ten of them.
    """
    made = _new(UUID)
    _set_int(made, _uuid7().int)
    _set_is_safe(made, _UNKNOWN)
    return made


def uuid7_text() -> str:
    """The same for where it is told as text, in half the time."""
    return str(_uuid7())


def uuid7_hex() -> str:
    """The same without hyphens."""
    return _uuid7().hex
