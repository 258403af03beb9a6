"""Names of files as a model writes them, before any file is looked at."""

import re
import unicodedata
from typing import Final

from goclaw.tools.reading.unreadable import Unreadable

MAX_PATH_CHARS: Final = 1_000
MAX_NAME_BYTES: Final = 240
"""File systems hold 255; temporary files have longer names than what they become."""
MAX_DEPTH: Final = 20
INTERNAL: Final = ".goclaw"
"""What names of our own files in a workspace begin with."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class PathRefused(Unreadable):
    """A path that is not followed, whatever lies there."""


def parts_of(path: str) -> tuple[str, ...]:
    """The steps from the workspace's folder to what is meant, none for the folder itself.

    Raises PathRefused for what leads out of it, in any spelling, and for internal names.
    """
    if len(path) > MAX_PATH_CHARS:
        raise PathRefused(f"a path has at most {MAX_PATH_CHARS} characters")
    if _CONTROL.search(path):
        raise PathRefused("a path has no control characters")
    if path.startswith("/"):
        raise PathRefused("paths are relative to the workspace and do not begin with /")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if len(parts) > MAX_DEPTH:
        raise PathRefused(f"a path goes at most {MAX_DEPTH} folders deep")
    for part in parts:
        _check_name(part)
    return parts


def _check_name(name: str) -> None:
    if name == "..":
        raise PathRefused("a path does not lead out of the workspace: `..` is refused")
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError:
        raise PathRefused("a path is valid Unicode") from None
    if size_bytes > MAX_NAME_BYTES:
        raise PathRefused(f"a name in a path has at most {MAX_NAME_BYTES} bytes")
    if is_internal(name):
        raise PathRefused(f"names that begin with {INTERNAL} are the server's own")


def is_internal(name: str) -> bool:
    """Also for file systems that do not tell upper from lower case, or fold Unicode."""
    return unicodedata.normalize("NFKC", name).casefold().startswith(INTERNAL)
