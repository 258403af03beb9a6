from collections.abc import Iterator
from io import BytesIO
from typing import Final

from pypdf import PdfReader

from goclaw.tools.reading.unreadable import Unreadable

MAX_PAGES: Final = 1_000


def pieces(data: bytes) -> Iterator[str]:
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("it is protected by a password")
    found = False
    for number, page in enumerate(reader.pages, start=1):
        if number > MAX_PAGES:
            yield f"[only the first {MAX_PAGES} pages are read]"
            return
        text = page.extract_text().strip()
        found = found or bool(text)
        yield f"--- page {number} ---\n{text}"
    if not found:
        raise Unreadable("its pages hold no text; they may be pictures of text")
