from collections.abc import Iterator
from io import BytesIO
from typing import Final

from docx import Document
from docx.table import Table

from goclaw.tools.reading.rows import rows_of

HEADINGS: Final = {f"Heading {level}": "#" * level for level in range(1, 7)} | {"Title": "#"}


def pieces(data: bytes) -> Iterator[str]:
    for block in Document(BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            yield from rows_of([cell.text for cell in row.cells] for row in block.rows)
        elif block.text.strip():
            style = block.style.name if block.style is not None else None
            heading = HEADINGS.get(style or "")
            yield f"{heading} {block.text}" if heading else block.text
