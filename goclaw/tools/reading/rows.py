from collections.abc import Iterable, Iterator


def rows_of(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Rows of a table, as Markdown writes them."""
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.split()) for cell in row) + " |"
