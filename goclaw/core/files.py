"""Files on their way in and out, for operations that know nothing of HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a caller sends; gone when the call ends. `name` and type are the caller's."""

    name: str
    media_type: str
    size_bytes: int
    file: BinaryIO


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a caller gets. Without a size it is sent in chunks of unknown number."""

    name: str
    media_type: str
    chunks: AsyncIterator[bytes]
    size_bytes: int | None = None
