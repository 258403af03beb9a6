"""Searching: by Brave with a key, by DuckDuckGo without, and clearly told where neither works."""

from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from pydantic import SecretStr

from goclaw.security.outbound import OutboundClient
from goclaw.tools.brave import Brave
from goclaw.tools.duckduckgo import DuckDuckGo
from goclaw.tools.reading.reader import Reader
from goclaw.tools.web_search import WebSearchSettings, WebSearchTool
from tests.tools.conftest import Caller
from tests.tools.site import (
    DUCK_NOTHING,
    DUCK_RIDDLE,
    Site,
    brave_answer,
    duck_page,
    reaching,
    running_site,
)

KEY = "BSA-not-a-real-key"
WITH_KEY = WebSearchSettings(brave_api_key=SecretStr(KEY))
Make = Callable[[WebSearchSettings], Caller]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running_site() as site:
        brave(site, "Whale", "Dolphin")
        duck(site, duck_page("Shark", "Ray"))
        yield site


@pytest.fixture
async def outbound() -> AsyncIterator[OutboundClient]:
    async with reaching() as outbound:
        yield outbound


@pytest.fixture
def searching(site: Site, outbound: OutboundClient) -> Make:
    def make(settings: WebSearchSettings) -> Caller:
        async def given() -> WebSearchSettings:
            return settings

        providers = {
            "brave": Brave(outbound, site.at("/res/v1/web/search", "brave.example")),
            "duckduckgo": DuckDuckGo(outbound, Reader(), site.at("/html/", "duck.example")),
        }
        return Caller([WebSearchTool(providers, given).tool()])  # type: ignore[arg-type]

    return make


def brave(site: Site, *titles: str, status: int = 200, body: bytes | None = None) -> None:
    answer = orjson.dumps(brave_answer(*titles)) if body is None else body
    site.serve("/res/v1/web/search", answer, "application/json", status)


def duck(site: Site, page: str, status: int = 200) -> None:
    site.serve("/html/", page, status=status)


async def test_brave_answers_where_there_is_a_key(site: Site, searching: Make) -> None:
    call = searching(WITH_KEY)
    text = await call.said(
        "web_search", query="sea & life", count=2, country="de", search_lang="DE", freshness="pw"
    )
    assert "1. Whale & more\nhttps://whale.example/\nAbout Whale: it's here" in text
    assert "2. Dolphin" in text
    assert "<<<EXTERNAL" in text
    [request] = site.asked
    assert dict(request.query) == {
        "q": "sea & life",
        "count": "2",
        "country": "DE",
        "search_lang": "de",
        "freshness": "pw",
    }
    assert request.headers["X-Subscription-Token"] == KEY


async def test_duckduckgo_answers_without_a_key(site: Site, searching: Make) -> None:
    call = searching(WebSearchSettings())
    text = await call.said("web_search", query="fish", country="DE", freshness="pm")
    assert "1. Shark\nhttps://shark.example/?a=1&b=2\nAbout Shark, briefly" in text
    assert "2. Ray" in text
    assert "Buy" not in text
    [request] = site.asked
    assert dict(request.query) == {"q": "fish", "kl": "de-en", "df": "m"}
    assert "X-Subscription-Token" not in request.headers


@pytest.mark.parametrize("status", [401, 403, 422, 429, 500, 302])
async def test_the_next_one_is_asked_when_one_fails(
    site: Site, searching: Make, status: int
) -> None:
    brave(site, status=status)
    assert "Shark" in await searching(WITH_KEY).said("web_search", query="fish")


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"web": {"results": [1]}}', b'"text"'])
async def test_an_answer_that_is_none(site: Site, searching: Make, body: bytes) -> None:
    brave(site, body=body)
    call = searching(WebSearchSettings(providers=["brave"], brave_api_key=SecretStr(KEY)))
    assert "brave: answers with something" in await call.refused("web_search", query="fish")


async def test_it_is_told_why_neither_works(site: Site, searching: Make) -> None:
    duck(site, DUCK_RIDDLE, 202)
    text = await searching(WebSearchSettings()).refused("web_search", query="fish")
    assert "brave: has no API key; an administrator can set one" in text
    assert "duckduckgo: it wants proof that a person is searching" in text
    brave(site, status=401)
    text = await searching(WITH_KEY).refused("web_search", query="fish")
    assert "brave: refuses the API key" in text
    assert KEY not in text


@pytest.mark.parametrize("page", ["", "<html><body>A surprise</body></html>", "\x00"])
async def test_a_page_that_is_no_list(site: Site, searching: Make, page: str) -> None:
    duck(site, page)
    assert "duckduckgo:" in await searching(WebSearchSettings()).refused("web_search", query="x")


async def test_nothing_found_is_an_answer(site: Site, searching: Make) -> None:
    duck(site, DUCK_NOTHING)
    text = await searching(WebSearchSettings()).said("web_search", query="zzz")
    assert "Nothing was found." in text
    brave(site)
    assert "Nothing was found." in await searching(WITH_KEY).said("web_search", query="zzz")


async def test_results_are_limited_and_kept(site: Site, searching: Make) -> None:
    duck(site, duck_page(*(f"Fish{n}" for n in range(30))))
    call = searching(WebSearchSettings(providers=["duckduckgo"]))
    text = await call.said("web_search", query="fish", count=3)
    assert "3. Fish2" in text
    assert "4. " not in text
    await call.said("web_search", query="fish", count=3)
    assert len(site.asked) == 1
    await call.said("web_search", query="fish", count=10)
    assert len(site.asked) == 2
    assert "count" in await call.refused("web_search", query="fish", count=11)
    assert "query" in await call.refused("web_search", query="x" * 401)
    assert "country" in await call.refused("web_search", query="x", country="Germany")


async def test_the_key_does_not_follow_to_another_host(site: Site, searching: Make) -> None:
    site.pages["/res/v1/web/search"] = site.pages["/html/"].__class__(
        status=302, headers={"Location": site.url("/caught", "pages.example")}
    )
    assert "Shark" in await searching(WITH_KEY).said("web_search", query="fish")
    assert "/caught" not in [request.path for request in site.asked]
