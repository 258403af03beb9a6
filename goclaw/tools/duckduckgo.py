"""DuckDuckGo's page for browsers without scripts, which needs no key."""

from typing import Final

from yarl import URL

from goclaw.security.fetch import FetchLimits, fetch
from goclaw.security.outbound import OutboundClient
from goclaw.tools.reading.reader import Reader
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.web_search import Hit, WebSearch, WebSearchSettings

ADDRESS: Final = URL("https://html.duckduckgo.com/html/")
LIMITS: Final = FetchLimits(total_s=20, body_bytes=4 << 20, redirects=1)
HEADERS: Final = {
    "Accept": "text/html",
    "Accept-Language": "en,*;q=0.5",
    "User-Agent": "Mozilla/5.0 (compatible; goclaw)",
}


class DuckDuckGo:
    def __init__(self, outbound: OutboundClient, reader: Reader, address: URL = ADDRESS) -> None:
        self._outbound = outbound
        self._reader = reader
        self._address = address

    async def search(self, wanted: WebSearch, settings: WebSearchSettings) -> list[Hit]:
        url = self._address.with_query(_query(wanted))
        fetched = await fetch(self._outbound, "GET", url, headers=HEADERS, limits=LIMITS)
        if fetched.status not in (200, 202):
            raise Unreadable(f"answers with HTTP {fetched.status}")
        read = await self._reader.read("results", fetched.body)
        return [Hit(**row) for row in read["results"]]


def _query(wanted: WebSearch) -> dict[str, str]:
    """A region is a country and a language: `de-de`."""
    query = {"q": wanted.query}
    if wanted.country:
        query["kl"] = f"{wanted.country.lower()}-{(wanted.search_lang or 'en').lower()}"
    if wanted.freshness:
        query["df"] = wanted.freshness[1]
    return query
