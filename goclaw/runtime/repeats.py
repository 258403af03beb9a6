"""Whether a run goes round in circles: the same call, with the same arguments and result."""

from collections import deque
from hashlib import sha256
from typing import Final

import orjson

from goclaw.providers.messages import ToolCall

WARN_AT: Final = 3
STOP_AT: Final = 5
LOOKED_AT: Final = 30
"""So many calls are looked back at."""


class Repeats:
    """The last calls of one run."""

    def __init__(self) -> None:
        self._calls: deque[bytes] = deque(maxlen=LOOKED_AT)

    def add(self, call: ToolCall, result: str) -> int:
        """How often the call had this result, this time included."""
        parts = (call.name, _sorted(call.arguments), result)
        made = sha256(orjson.dumps(parts)).digest()
        self._calls.append(made)
        return self._calls.count(made)


def _sorted(arguments: str) -> str:
    """Arguments that mean the same read the same."""
    try:
        sent = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        return arguments
    return orjson.dumps(sent, option=orjson.OPT_SORT_KEYS).decode()
