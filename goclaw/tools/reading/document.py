"""Text of documents: PDF, Word, Excel, PowerPoint."""

from collections.abc import Callable, Iterator
from importlib import import_module
from io import BytesIO
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from goclaw.tools.reading.kinds import OLD_OFFICE, PDF
from goclaw.tools.reading.unreadable import Unreadable

MAX_UNPACKED_BYTES: Final = 200 << 20
MAX_RATIO: Final = 200
"""Of unpacked to packed size; office files have 5 to 30."""
MAX_MEMBERS: Final = 5_000
OFFICE: Final = (
    ("word/document.xml", "Word document", "word"),
    ("xl/workbook.xml", "Excel workbook", "excel"),
    ("ppt/presentation.xml", "PowerPoint presentation", "powerpoint"),
)
"""By the part that each of them has: what it is called, and the module that reads it. Only that
one is imported, as starting is most of what reading takes.
"""


def read(data: bytes, *, offset: int, most_chars: int) -> dict[str, Any]:
    """`most_chars` of the text from `offset` on. Raises Unreadable."""
    kind, module = _kind(data)
    pieces: Callable[[bytes], Iterator[str]]
    pieces = import_module(f"goclaw.tools.reading.{module}").pieces
    kept: list[str] = []
    chars = 0
    for piece in pieces(data):
        kept.append(piece)
        chars += len(piece) + 1
        if chars > offset + most_chars + 1:
            break
    text = "\n".join(kept)
    part = text[offset : offset + most_chars]
    return {"kind": kind, "text": part, "whole": len(text) <= offset + most_chars}


def _kind(data: bytes) -> tuple[str, str]:
    if data.startswith(PDF):
        return "PDF", "pdf"
    if data.startswith(OLD_OFFICE):
        raise Unreadable("it is in the Office format of before 2007; save it as .docx or .xlsx")
    try:
        with ZipFile(BytesIO(data)) as archive:
            _refuse_bombs(archive, len(data))
            names = set(archive.namelist())
    except BadZipFile as error:
        raise Unreadable("it is damaged") from error
    for name, kind, module in OFFICE:
        if name in names:
            return kind, module
    raise Unreadable("it is a ZIP archive and no Office document")


def _refuse_bombs(archive: ZipFile, packed_bytes: int) -> None:
    """Sizes as they are declared; more than that is never unpacked."""
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise Unreadable(f"it has {len(members)} parts; the limit is {MAX_MEMBERS}")
    if unpacked > MAX_UNPACKED_BYTES or unpacked > max(packed_bytes, 1 << 16) * MAX_RATIO:
        raise Unreadable(f"it unpacks to {unpacked} bytes, which is more than is read")
