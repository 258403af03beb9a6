"""What DuckDuckGo's page without scripts found."""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from lxml.html import HtmlElement, fromstring

from goclaw.tools.reading.unreadable import Unreadable

MOST: Final = 50


def read(data: bytes) -> dict[str, Any]:
    """Raises Unreadable for a page that is no list of results, such as a riddle for robots."""
    if not data.strip():
        raise Unreadable("the answer is empty")
    page = fromstring(data)
    if page.xpath("//*[contains(@class, 'anomaly')] | //form[@id='challenge-form']"):
        raise Unreadable("it wants proof that a person is searching")
    rows = page.xpath("//div[contains(concat(' ', @class, ' '), ' result ')]")
    found = [result for row in rows[:MOST] if (result := _result(row)) is not None]
    nothing = page.xpath("//*[contains(@class, 'no-results')]")
    if not found and not nothing:
        raise Unreadable("the page holds no list of results")
    return {"results": found}


def _result(row: HtmlElement) -> dict[str, str] | None:
    """Not for advertisements, whose links lead elsewhere first."""
    links = row.xpath(".//a[contains(concat(' ', @class, ' '), ' result__a ')]")
    if not links or "result--ad" in row.get("class", ""):
        return None
    url = _target(links[0].get("href", ""))
    snippets = row.xpath(".//*[contains(concat(' ', @class, ' '), ' result__snippet ')]")
    snippet = snippets[0].text_content() if snippets else ""
    if url is None:
        return None
    return {"title": _line(links[0].text_content()), "url": url, "snippet": _line(snippet)}


def _target(href: str) -> str | None:
    """Links go by way of `/l/?uddg=`."""
    parts = urlsplit(href)
    if parts.path == "/l/" and (parts.netloc or "duckduckgo.com").endswith("duckduckgo.com"):
        href = next(iter(parse_qs(parts.query).get("uddg", ())), "")
    return href if urlsplit(href).scheme in ("http", "https") else None


def _line(text: str) -> str:
    return " ".join(text.split())
