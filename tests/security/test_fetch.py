"""Reading pages: every hop is checked like the first, and no answer is too large or too slow."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from goclaw.core.errors import GatewayError, InvalidInput, UpstreamFailed
from goclaw.security.fetch import DEFAULT_LIMITS, Fetched, FetchLimits, _Hop, fetch
from goclaw.security.outbound import OutboundClient, check_url
from tests.security.test_outbound import Names

QUICK = FetchLimits(total_s=5, connect_s=2, body_bytes=100_000)
SECRETS = {
    "Authorization": "Bearer x",
    "Cookie": "a=b",
    "X-Api-Key": "x",
    "X-Vendor-Own": "x",
    "Accept": "text/html",
}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Two origins on one server; `pages` answer by path, and what was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.pages: dict[str, Answer | web.Response] = {}
        self.port = 0

    def url(self, path: str, host: str = "one.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def moved(self, path: str, location: str, status: int = 302) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": location})

        self.pages[path] = answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        page = self.pages.get(request.path)
        if page is None:
            return web.Response(text=f"{request.method} {request.path}")
        if isinstance(page, web.Response):
            return page
        return await page(request)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.port = runner.addresses[0][1]
    yield site
    await runner.cleanup()


@asynccontextmanager
async def reader(site: Site, *allowed: str) -> AsyncIterator[OutboundClient]:
    """Two names stand for the site, which is allowed; `evil.example` is for nobody allowed."""
    here = ["127.0.0.1"]
    names = Names({"one.example": [here], "two.example": [here], "evil.example": [here]})
    hosts = allowed or ("one.example", "two.example")
    async with OutboundClient(hosts, resolver=names) as client:
        yield client


async def read(
    site: Site, path: str = "/a", limits: FetchLimits = QUICK, **more: object
) -> Fetched:
    async with reader(site) as client:
        url = client.check_url(site.url(path), "url", whole=True)
        return await fetch(client, "GET", url, limits=limits, **more)  # type: ignore[arg-type]


async def refusal(reading: Awaitable[Fetched]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await reading
    return caught.value


async def test_a_page_with_a_query(site: Site) -> None:
    got = await read(site, "/a?q=1#part")
    assert (got.status, got.body, got.is_whole) == (200, b"GET /a", True)
    assert got.url == URL(site.url("/a?q=1"))
    assert site.asked[0].query_string == "q=1"


async def test_errors_are_answers(site: Site) -> None:
    site.pages["/a"] = web.Response(status=404, text="no")
    assert (await read(site)).status == 404


@pytest.mark.parametrize(
    "location", ["/b", "b", "//two.example:{port}/b", "http://two.example:{port}/b"]
)
async def test_redirects_are_followed(site: Site, location: str) -> None:
    site.moved("/a", location.format(port=site.port))
    got = await read(site)
    assert (got.body, got.url.path) == (b"GET /b", "/b")


@pytest.mark.parametrize("allowed", [0, 1, 3])
async def test_no_more_redirects_than_told(site: Site, allowed: int) -> None:
    for number in range(5):
        site.moved(f"/{number}", f"/{number + 1}")
    limits = FetchLimits(redirects=allowed)
    error = await refusal(read(site, "/0", limits))
    assert error.code == "redirect_refused"
    assert len(site.asked) == allowed + 1
    site.pages[f"/{allowed}"] = web.Response(text="there")
    assert (await read(site, "/0", limits)).body == b"there"


def test_three_redirects_unless_told_otherwise() -> None:
    assert DEFAULT_LIMITS.redirects == 3


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/secret",
        "http://127.1:{port}/secret",
        "http://2130706433:{port}/secret",
        "http://0x7f.1:{port}/secret",
        "http://[::1]:{port}/secret",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://[64:ff9b::7f00:1]:{port}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:{port}/secret",
        "http://evil.example:{port}/secret",
        "http://user:pass@one.example:{port}/secret",
        "http://one.example:{port}@evil.example/secret",
        "ftp://one.example/secret",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1",
        "http://x.example:25/",
    ],
)
async def test_weakness_45_each_hop_is_checked_again(site: Site, location: str) -> None:
    site.moved("/a", "/b")
    site.moved("/b", location.format(port=site.port))
    error = await refusal(read(site))
    assert error.code in ("redirect_refused", "host_refused")
    assert isinstance(error, UpstreamFailed)
    assert [request.path for request in site.asked] == ["/a", "/b"]


async def test_https_does_not_lead_to_http() -> None:
    hop = _Hop("GET", URL("https://one.example/a"), CIMultiDict())
    with pytest.raises(UpstreamFailed) as caught:
        hop.follow(302, "http://one.example/b", OutboundClient())
    assert "https to http" in str(caught.value)
    assert hop.follow(302, "/b", OutboundClient()).url == URL("https://one.example/b")


@pytest.mark.parametrize("host", ["one.example", "two.example"])
async def test_credentials_stay_with_their_origin(site: Site, host: str) -> None:
    site.moved("/a", site.url("/b", host))
    await read(site, headers=SECRETS)
    first, second = (set(request.headers) & set(SECRETS) for request in site.asked)
    assert first == set(SECRETS)
    assert second == (set(SECRETS) if host == "one.example" else {"Accept"})


async def test_credentials_do_not_come_back_on_the_way_back(site: Site) -> None:
    site.moved("/a", site.url("/b", "two.example"))
    site.moved("/b", site.url("/c", "one.example"))
    await read(site, headers=SECRETS)
    assert "Authorization" not in site.asked[2].headers


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        (301, "GET", b""),
        (302, "GET", b""),
        (303, "GET", b""),
        (307, "POST", b"x"),
        (308, "POST", b"x"),
    ],
)
async def test_what_becomes_of_a_body(site: Site, status: int, method: str, body: bytes) -> None:
    site.moved("/a", "/b", status)
    async with reader(site) as client:
        url = URL(site.url("/a"))
        got = await fetch(
            client, "POST", url, headers={"Content-Type": "text/x"}, data=b"x", limits=QUICK
        )
    assert got.body.decode() == f"{method} /b"
    assert site.bodies == [b"x", body]
    assert (site.asked[1].headers.get("Content-Type") == "text/x") == bool(body)


async def test_a_body_does_not_go_on_to_another_origin(site: Site) -> None:
    site.moved("/a", site.url("/b", "two.example"), 307)
    async with reader(site) as client:
        error = await refusal(fetch(client, "POST", URL(site.url("/a")), data=b"x", limits=QUICK))
    assert error.code == "redirect_refused"
    assert len(site.asked) == 1


async def test_a_redirect_without_a_location_is_an_answer(site: Site) -> None:
    site.pages["/a"] = web.Response(status=304)
    assert (await read(site)).status == 304


async def test_a_body_beyond_the_limit_is_refused_or_cut(site: Site) -> None:
    site.pages["/a"] = web.Response(body=b"x" * 100_001)
    assert (await refusal(read(site))).code == "upstream_too_large"
    site.pages["/a"] = web.Response(body=b"x" * 100_001)
    got = await read(site, cut=True)
    assert (len(got.body), got.is_whole) == (100_000, False)
    site.pages["/a"] = web.Response(body=b"x" * 100_000)
    assert (await read(site)).is_whole


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_a_small_body_does_not_become_a_large_one(site: Site, packing: str) -> None:
    """100 MB of zeros in 100 kB; unpacked only as far as the limit."""
    plain = bytes(100_000_000)
    packed = gzip.compress(plain, 9) if packing == "gzip" else zlib.compress(plain, 9)
    del plain
    site.pages["/a"] = web.Response(body=packed, headers={"Content-Encoding": packing})
    assert (await refusal(read(site))).code == "upstream_too_large"


async def test_packed_bodies_are_unpacked(site: Site) -> None:
    site.pages["/a"] = web.Response(
        body=gzip.compress(b"y" * 5000), headers={"Content-Encoding": "gzip"}
    )
    assert (await read(site)).body == b"y" * 5000


@pytest.mark.parametrize("where", ["head", "body", "hops"])
async def test_time_is_limited_for_everything_together(site: Site, where: str) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        if where == "head":
            await asyncio.sleep(30)
        if where == "hops":
            await asyncio.sleep(0.3)
            return web.Response(status=302, headers={"Location": "/a"})
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    site.pages["/a"] = slow
    error = await refusal(read(site, "/a", FetchLimits(total_s=0.7, redirects=100)))
    assert (error.code, error.status) == ("fetch_timeout", 504)


async def test_nobody_there(site: Site) -> None:
    async with OutboundClient(["127.0.0.1"]) as client:
        error = await refusal(fetch(client, "GET", URL("http://127.0.0.1:1/"), limits=QUICK))
    assert (error.code, error.status) == ("fetch_failed", 502)


async def test_errors_keep_no_headers(site: Site) -> None:
    async def drop(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    site.pages["/a"] = drop
    error = await refusal(read(site, headers=SECRETS))
    assert error.code == "fetch_failed"
    assert error.__cause__ is None


# ---------------------------------------------------------------- ports and networks


@pytest.mark.parametrize("port", [22, 25, 6379, 5432, 11211, 27017, 10250])
async def test_weakness_45_ports_of_other_servers(port: int) -> None:
    url = f"http://x.example:{port}/"
    with pytest.raises(InvalidInput) as caught:
        check_url(url, "api_base")
    assert caught.value.code == "port_refused"
    names = Names({"x.example": [["8.8.8.8"]]})
    async with OutboundClient(resolver=names) as client:
        assert (await refusal(fetch(client, "GET", URL(url)))).code == "port_refused"
    assert names.asked == []
    allowing = OutboundClient([f"x.example:{port}"])
    assert allowing.check_url(url, "api_base") == URL(url)
    with pytest.raises(InvalidInput):
        OutboundClient([f"x.example:{port + 1}"]).check_url(url, "api_base")


@pytest.mark.parametrize("port", [80, 443, 3000, 5000, 8000, 8080, 8443, 11434, 18790])
def test_ports_of_web_servers_are_open(port: int) -> None:
    assert check_url(f"http://x.example:{port}/", "api_base").port == port


async def test_an_allowed_network(site: Site) -> None:
    names = Names({"inside.example": [["127.0.0.1"]], "mixed.example": [["127.0.0.1", "10.0.0.1"]]})
    async with OutboundClient(["127.0.0.0/8"], resolver=names) as client:
        for host in ("inside.example", "127.0.0.1"):
            assert (
                await fetch(client, "GET", URL(site.url("/a", host)), limits=QUICK)
            ).status == 200
        for host in ("mixed.example", "10.0.0.1", "[::ffff:127.0.0.1]", "[::1]"):
            error = await refusal(fetch(client, "GET", URL(site.url("/a", host)), limits=QUICK))
            assert error.code == "host_refused"


def test_a_network_that_is_none() -> None:
    with pytest.raises(ValueError):
        OutboundClient(["10.0.0.0/33"])
