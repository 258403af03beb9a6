"""Builds everything once: the services of a worker, and the doors in front of them.

The names below are found by import string, and imported when asked for: a worker spends no
time and memory on migrations, and a migration none on the doors.
"""

from pkgutil import resolve_name
from typing import Any, Final

HOMES: Final = {
    "create_app": "goclaw.app.gateway:Gateway",
    "drop_spare": "goclaw.store.backup:drop_spare",
    "is_empty": "goclaw.store.backup:is_empty",
    "make_spare": "goclaw.store.backup:make_spare",
    "snapshot": "goclaw.store.backup:snapshot",
    "use_spare": "goclaw.store.backup:use_spare",
    "database_version": "goclaw.store.migrate:database_version",
    "migrate": "goclaw.store.migrate:migrate",
    "newest_version": "goclaw.store.migrate:newest_version",
    "open_services": "goclaw.app.services:open_services",
    "prepare": "goclaw.app.preparation:prepare",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return resolve_name(HOMES[name])
