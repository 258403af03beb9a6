"""What some bytes are, by how they begin."""

from typing import Final

from goclaw.tools.reading.unreadable import Unreadable

PDF: Final = b"%PDF-"
ZIP: Final = b"PK\x03\x04"
OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BEGINNINGS: Final = (
    (PDF, "a PDF document"),
    (ZIP, "a ZIP archive or an Office document"),
    (OLD_OFFICE, "an old Office document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WebP picture, a sound or a film"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
)
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def is_document(data: bytes) -> bool:
    return data.startswith((PDF, ZIP, OLD_OFFICE))


def named(data: bytes) -> str:
    """What to call data that is no text."""
    for beginning, name in BEGINNINGS:
        if data.startswith(beginning):
            return name
    return "binary data"


def text_of(data: bytes) -> str:
    """In UTF-8, or UTF-16 that says so. Raises Unreadable, with what it is instead."""
    try:
        text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"it is {named(data)}, not text") from None
    if "\x00" in text:
        raise Unreadable(f"it is {named(data)}, not text")
    return text
