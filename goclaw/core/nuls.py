"""NULs: JSON can say them, and PostgreSQL cannot store them."""

import re
from typing import Final

_ESCAPED: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def without_nuls(json: bytes) -> bytes:
    """The same JSON text, its strings without NULs."""
    return _ESCAPED.sub(rb"\1", json) if rb"\u0000" in json else json
