from uuid import UUID, SafeUUID

from uuid_utils import uuid7 as _uuid7


def uuid7() -> UUID:
    """Ids sort by the time they were made (RFC 9562, version 7).

    Set up by hand, as the constructor's checks take three times as long as the rest.
    """
    made = UUID.__new__(UUID)
    object.__setattr__(made, "int", _uuid7().int)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made
