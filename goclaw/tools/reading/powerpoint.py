from collections.abc import Iterator
from io import BytesIO

from pptx import Presentation

from goclaw.tools.reading.rows import rows_of


def pieces(data: bytes) -> Iterator[str]:
    for number, slide in enumerate(Presentation(BytesIO(data)).slides, start=1):
        yield f"--- slide {number} ---"
        for shape in slide.shapes:
            if shape.has_text_frame and shape.text_frame.text.strip():
                yield shape.text_frame.text
            elif shape.has_table:
                yield from rows_of([cell.text for cell in row.cells] for row in shape.table.rows)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            if notes:
                yield f"Notes: {notes}"
