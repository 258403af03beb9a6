"""Web servers on loopback: pages, Brave's interface, and DuckDuckGo's page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web
from yarl import URL

from goclaw.security.outbound import OutboundClient
from tests.security.test_outbound import Names

NAMES = ("pages.example", "brave.example", "duck.example")


@dataclass
class Site:
    """`pages` answer by path; `asked` is what came."""

    pages: dict[str, web.Response] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)
    port: int = 0

    def url(self, path: str, host: str = NAMES[0]) -> str:
        return f"http://{host}:{self.port}{path}"

    def at(self, path: str, host: str) -> URL:
        return URL(self.url(path, host))

    def serve(
        self, path: str, body: bytes | str, kind: str = "text/html", status: int = 200
    ) -> str:
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = web.Response(body=data, status=status, headers={"Content-Type": kind})
        return self.url(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        page = self.pages.get(request.path)
        if page is None:
            return web.Response(status=404, text="no such page")
        return web.Response(body=page.body, status=page.status, headers=page.headers)


@asynccontextmanager
async def running_site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.port = runner.addresses[0][1]
    yield site
    await runner.cleanup()


@asynccontextmanager
async def reaching(*allowed: str) -> AsyncIterator[OutboundClient]:
    """A client that finds the site by its names, and may reach those that are allowed."""
    names = Names({name: [["127.0.0.1"]] for name in (*NAMES, "evil.example")})
    async with OutboundClient(allowed or NAMES, resolver=names) as client:
        yield client


def brave_answer(*titles: str) -> dict[str, object]:
    """As the interface answers, with what nobody needs left in."""
    rows = [
        {
            "title": f"<strong>{title}</strong> &amp; more",
            "url": f"https://{title.lower()}.example/",
            "is_source_local": False,
            "description": f"About <strong>{title}</strong>: it&#x27;s here",
            "profile": {"name": "x", "url": "https://x.example", "long_name": "x", "img": ""},
            "language": "en",
            "family_friendly": True,
            "type": "search_result",
            "subtype": "generic",
            "meta_url": {"scheme": "https", "netloc": "x.example", "path": ""},
        }
        for title in titles
    ]
    return {
        "query": {"original": "q", "more_results_available": True},
        "mixed": {"type": "mixed", "main": [], "top": [], "side": []},
        "type": "search",
        "web": {"type": "search", "results": rows, "family_friendly": True},
    }


def duck_page(*titles: str) -> str:
    """As the page is written, advertisement and all."""
    rows = "".join(
        f"""<div class="result results_links results_links_deep web-result ">
        <div class="links_main links_deep result__body">
        <h2 class="result__title"><a rel="nofollow" class="result__a"
        href="//duckduckgo.com/l/?uddg={quote(_address(title), "")}&amp;rut=abc"
        >{title}</a></h2>
        <a class="result__snippet" href="//duckduckgo.com/l/?uddg=x">About <b>{title}</b>,
        briefly</a></div></div>"""
        for title in titles
    )
    ad = """<div class="result results_links result--ad"><h2><a class="result__a"
        href="https://duckduckgo.com/y.js?ad_domain=x">Buy</a></h2></div>"""
    return f"<html><body><div id='links' class='results'>{ad}{rows}</div></body></html>"


def _address(title: str) -> str:
    return f"https://{title.lower()}.example/?a=1&b=2"


DUCK_RIDDLE = """<html><body><form id="challenge-form" action="//duckduckgo.com/anomaly.js">
<div class="anomaly-modal__title">Unfortunately, bots use DuckDuckGo too.</div></form></body>
</html>"""
DUCK_NOTHING = """<html><body><div class="results"><div class="result result--no-result no-results">
No results found for <b>zzz</b>.</div></div></body></html>"""
