"""Pages of the web as text: what there is to read, without menus, and nothing hidden."""

import re
from typing import Any, Final

from lxml.etree import ParserError
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura import extract, html2txt
from trafilatura.utils import decode_file

from goclaw.tools.reading.unreadable import Unreadable

MAX_CHARS: Final = 1_000_000
HIDDEN_CLASSES: Final = frozenset(
    {
        "hidden",
        "invisible",
        "sr-only",
        "visually-hidden",
        "visuallyhidden",
        "screen-reader-text",
        "screen-reader-only",
        "d-none",
        "hide",
        "is-hidden",
    }
)
HIDDEN_STYLE: Final = re.compile(
    r"display:none|visibility:(hidden|collapse)|(font-size|opacity):0(\.0+)?(px|em|rem|%|;|$)"
    r"|(left|right|top|bottom|text-indent|margin-(left|top)):-\d{4,}"
    r"|clip(-path)?:(rect\(0|inset\((50|100)%)|color:transparent|(width|height):0(px)?(;|$)"
)


def read(data: bytes, *, url: str, plain: bool, charset: str | None = None) -> dict[str, Any]:
    """`plain` gives text without Markdown; without a charset it is guessed. Raises Unreadable."""
    tree = _tree(decode_file(data) if charset is None else data.decode(charset, "replace"))
    title = " ".join((tree.findtext(".//title") or "").split())
    _drop_hidden(tree)
    text = extract(
        tree,
        url=url,
        output_format="txt" if plain else "markdown",
        include_comments=False,
        include_tables=True,
        include_links=not plain,
        include_formatting=not plain,
        favor_recall=True,
    )
    text = text or html2txt(tree) or ""
    return {"title": title[:500], "text": text[:MAX_CHARS], "whole": len(text) <= MAX_CHARS}


def _tree(text: str) -> HtmlElement:
    """As bytes, since lxml takes no text that names an encoding of its own."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return document_fromstring(text.encode(errors="replace"), parser=parser)
    except (ParserError, ValueError):
        raise Unreadable("there is nothing in it to read") from None


def _drop_hidden(tree: HtmlElement) -> None:
    """What people do not see is where instructions for models are put."""
    for element in list(tree.iter()):
        if isinstance(element.tag, str) and element.tag not in ("html", "body") and _hides(element):
            element.drop_tree()


def _hides(element: HtmlElement) -> bool:
    if element.get("hidden") is not None or element.get("aria-hidden", "").lower() == "true":
        return True
    if HIDDEN_CLASSES & set(element.get("class", "").lower().split()):
        return True
    style = re.sub(r"\s|/\*.*?\*/|!important", "", element.get("style", "").lower())
    return bool(style and HIDDEN_STYLE.search(style))
