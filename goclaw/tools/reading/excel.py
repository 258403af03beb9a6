from collections.abc import Iterator
from io import BytesIO
from typing import Final

from openpyxl import load_workbook

from goclaw.tools.reading.rows import rows_of

MAX_ROWS: Final = 20_000


def pieces(data: bytes) -> Iterator[str]:
    book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    left = MAX_ROWS
    for sheet in book.worksheets:
        yield f"## {sheet.title}"
        for row in sheet.iter_rows(values_only=True):
            if all(value is None for value in row):
                continue
            if left == 0:
                yield f"[only the first {MAX_ROWS} rows are read]"
                return
            left -= 1
            yield from rows_of([["" if value is None else str(value) for value in row]])
