"""Brave Search: https://api-dashboard.search.brave.com/app/documentation/web-search"""

import re
from html import unescape
from json import JSONDecodeError
from typing import Any, Final

import orjson
from yarl import URL

from goclaw.security.fetch import FetchLimits, fetch
from goclaw.security.outbound import OutboundClient
from goclaw.tools.reading.unreadable import Unreadable
from goclaw.tools.web_search import Hit, WebSearch, WebSearchSettings

ADDRESS: Final = URL("https://api.search.brave.com/res/v1/web/search")
LIMITS: Final = FetchLimits(total_s=20, body_bytes=4 << 20, redirects=0)
REFUSALS: Final = {
    401: "refuses the API key",
    403: "refuses the API key",
    422: "refuses the API key or the question",
    429: "is asked too often for the plan of the API key",
}
_EMPHASIS: Final = re.compile(r"</?strong>")


class Brave:
    def __init__(self, outbound: OutboundClient, address: URL = ADDRESS) -> None:
        self._outbound = outbound
        self._address = address

    async def search(self, wanted: WebSearch, settings: WebSearchSettings) -> list[Hit]:
        if settings.brave_api_key is None:
            raise Unreadable("has no API key; an administrator can set one")
        fetched = await fetch(
            self._outbound,
            "GET",
            self._address.with_query(_query(wanted)),
            headers={
                "Accept": "application/json",
                "X-Subscription-Token": settings.brave_api_key.get_secret_value(),
            },
            limits=LIMITS,
        )
        if fetched.status != 200:
            raise Unreadable(REFUSALS.get(fetched.status, f"answers with HTTP {fetched.status}"))
        try:
            answer = orjson.loads(fetched.body)
            return [_hit(row) for row in (answer.get("web") or {}).get("results") or ()]
        except (JSONDecodeError, AttributeError, KeyError, TypeError):
            raise Unreadable("answers with something that is no list of results") from None


def _query(wanted: WebSearch) -> dict[str, str]:
    given = {
        "q": wanted.query,
        "count": str(wanted.count),
        "country": wanted.country and wanted.country.upper(),
        "search_lang": wanted.search_lang and wanted.search_lang.lower(),
        "freshness": wanted.freshness,
    }
    return {name: value for name, value in given.items() if value}


def _hit(row: Any) -> Hit:
    return Hit(
        title=_text(row["title"]), url=str(row["url"]), snippet=_text(row.get("description") or "")
    )


def _text(marked_up: str) -> str:
    """Found words are in <strong>, everything else is escaped."""
    return " ".join(unescape(_EMPHASIS.sub("", marked_up)).split())
