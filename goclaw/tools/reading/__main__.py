"""The process: reads one thing from standard input, answers with one line of JSON, and ends."""

import base64
import json
import logging
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from goclaw.tools.reading.unreadable import Unreadable

MEMORY_BYTES: Final = 1 << 30
CPU_S: Final = 20
LIMITS: Final = (
    (resource.RLIMIT_AS, MEMORY_BYTES),
    (resource.RLIMIT_CPU, CPU_S),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
)
READERS: Final = ("page", "document", "picture", "results")
"""Modules of this package, imported when they are asked for: each has a `read`."""


def main(kind: str, options: str) -> None:
    for limit, value in LIMITS:
        with suppress(ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(limit, (value, value))
    logging.disable()
    if kind not in READERS:
        raise SystemExit(f"no reader {kind}")
    read: Callable[..., dict[str, Any]] = import_module(f"goclaw.tools.reading.{kind}").read
    data = sys.stdin.buffer.read()
    try:
        answer = read(data, **json.loads(options))
    except Unreadable as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": f"it takes more than {MEMORY_BYTES >> 20} MiB of memory to read"}
    except Exception as error:  # noqa: BLE001 - libraries raise what they like over broken files
        answer = {
            "refused": "it is damaged, or not what it seems",
            "broken": type(error).__name__,
        }
    if isinstance(answer.get("data"), bytes):
        answer["data"] = base64.b64encode(answer["data"]).decode()
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:3])
