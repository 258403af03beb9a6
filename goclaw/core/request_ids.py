"""The id of a request: in its response, its log lines and its trace."""

import re
from typing import Final

from goclaw.core.ids import uuid7_hex

HEADER: Final = "X-Request-Id"
WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id(sent: str | None) -> str:
    """The one the client sent, where it can be written into a log; else a new one."""
    if sent is not None and WELL_FORMED.fullmatch(sent):
        return sent
    return uuid7_hex()
