"""Pages of the web, as text."""

from dataclasses import dataclass
from time import monotonic
from typing import Final, Literal

from cachetools import TTLCache
from pydantic import BaseModel, Field

from goclaw.security.fetch import Fetched, FetchLimits, fetch
from goclaw.security.outbound import OutboundClient
from goclaw.tools.reading.kinds import is_document, text_of
from goclaw.tools.reading.reader import Reader
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.tool import Tool, ToolContext, ToolResult

MAX_CHARS: Final = 50_000
DEFAULT_CHARS: Final = 20_000
KEPT_CHARS: Final = 1_000_000
"""Of one page; the rest is not read."""
CACHE_S: Final = 15 * 60
CACHE_CHARS: Final = 10_000_000
LIMITS: Final = FetchLimits(total_s=30, body_bytes=8 << 20)
HEADERS: Final = {
    "Accept": "text/html,application/xhtml+xml,text/*;q=0.9,application/pdf;q=0.8,*/*;q=0.5",
    "Accept-Language": "en,*;q=0.5",
}
HTML: Final = ("text/html", "application/xhtml+xml")

Form = Literal["markdown", "text"]


class WebFetch(BaseModel):
    url: str = Field(min_length=1, max_length=4_000, description="http or https.")
    format: Form = Field(default="markdown", description="Markdown has links and headings.")
    offset: int = Field(default=0, ge=0, description="Characters to leave out, to read on.")
    max_chars: int = Field(default=DEFAULT_CHARS, ge=100, le=MAX_CHARS)


@dataclass(frozen=True, slots=True)
class Page:
    """`url` is where it came from in the end. `is_whole`: nothing of its text is missing."""

    url: str
    status: int
    title: str
    text: str
    is_whole: bool

    def __len__(self) -> int:
        return len(self.text)


class WebFetchTool:
    """Pages are kept for 15 minutes, for everybody: they were asked for without a credential."""

    def __init__(self, outbound: OutboundClient, reader: Reader) -> None:
        self._outbound = outbound
        self._reader = reader
        self._cache: TTLCache[tuple[str, Form], Page] = TTLCache(
            CACHE_CHARS, CACHE_S, monotonic, getsizeof=lambda page: max(1_000, len(page))
        )

    def tool(self) -> Tool:
        return Tool(
            "web_fetch",
            "Reads a page, a text file, a PDF or an Office document of the web, as text without "
            "menus and advertisements.",
            "web",
            WebFetch,
            self.run,
            timeout_s=60,
            external=True,
        )

    async def run(self, _: ToolContext, wanted: WebFetch) -> ToolResult:
        """Raises InvalidInput for an address that may not be read, UpstreamFailed,
        UpstreamTimeout.
        """
        url = self._outbound.check_url(wanted.url, "url", whole=True)
        page = self._cache.get((str(url), wanted.format))
        if page is None:
            fetched = await fetch(
                self._outbound, "GET", url, headers=HEADERS, limits=LIMITS, cut=True
            )
            try:
                page = await self._page(fetched, wanted.format)
            except Unreadable as error:
                return ToolResult(f"{fetched.url} cannot be read: {error}.", is_error=True)
            if page.status < 400:
                self._cache[str(url), wanted.format] = page
        return ToolResult(_shown(page, wanted), is_error=page.status >= 400)

    async def _page(self, fetched: Fetched, form: Form) -> Page:
        """Raises Unreadable."""
        kind, charset = _kind(fetched)
        title, is_whole = "", fetched.is_whole
        if is_document(fetched.body):
            text, whole = await self._document(fetched)
            is_whole = is_whole and whole
        elif kind in HTML or (not kind and fetched.body.lstrip().startswith(b"<")):
            read = await self._reader.read(
                "page",
                fetched.body,
                url=str(fetched.url),
                plain=form == "text",
                charset=charset,
            )
            title, text, is_whole = read["title"], read["text"], is_whole and read["whole"]
        else:
            text = _plain(fetched, charset)
        is_whole = is_whole and len(text) <= KEPT_CHARS
        return Page(str(fetched.url), fetched.status, title, text[:KEPT_CHARS], is_whole)

    async def _document(self, fetched: Fetched) -> tuple[str, bool]:
        if not fetched.is_whole:
            raise Unreadable(f"it is larger than {LIMITS.body_bytes} bytes")
        read = await self._reader.read("document", fetched.body, offset=0, most_chars=KEPT_CHARS)
        return read["text"], read["whole"]


def _kind(fetched: Fetched) -> tuple[str, str | None]:
    """Media type and charset, as the server names them."""
    kind, *parameters = fetched.headers.get("Content-Type", "").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset":
            return kind.strip(), _known(value.strip("\"' "))
    return kind.strip(), None


def _known(charset: str) -> str | None:
    """None for one that Python cannot read as text, such as `rot13`."""
    try:
        b"a".decode(charset, "replace")
    except (LookupError, ValueError):
        return None
    return charset


def _plain(fetched: Fetched, charset: str | None) -> str:
    """Raises Unreadable. What was cut ends with a line, as a character may have been cut, too."""
    if charset is not None:
        return fetched.body.decode(charset, "replace").replace("\x00", "")
    body = fetched.body
    if not fetched.is_whole:
        body = body[: body.rfind(b"\n") + 1]
    return text_of(body)


def _shown(page: Page, wanted: WebFetch) -> str:
    part = page.text[wanted.offset : wanted.offset + wanted.max_chars]
    end = wanted.offset + len(part)
    lines = [f"URL: {page.url}", f"Status: {page.status}"]
    if page.title:
        lines.append(f"Title: {page.title}")
    if end < len(page.text):
        lines.append(
            f"Characters {wanted.offset} to {end} of {len(page.text)}; go on with offset {end}"
        )
    elif wanted.offset:
        lines.append(f"Characters {wanted.offset} to {end}, the last of them")
    if end >= len(page.text) and not page.is_whole:
        lines.append("The page goes on, but is too long to be read further")
    return "\n".join(lines) + f"\n\n{part or '[no text]'}"
