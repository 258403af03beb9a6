"""What every answer tells a browser, whichever door it comes from, also when it is a refusal."""

import aiohttp
import pytest

from goclaw.security.headers import ALWAYS, OF_PAGES
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = "Content-Security-Policy"
PAGES = ("/", "/agents", "/docs", "/graphql")
PATHS = (
    *PAGES,
    "/nothing.js",
    "/v1/agents",
    "/v1/nothing",
    "/v1/openapi.json",
    "/docs/style.css",
    "/health",
    "/livez",
    "/readyz",
    "/metrics",
    "/graphql/assets/nothing.js",
)


async def got(server: RunningServer, path: str) -> aiohttp.ClientResponse:
    async with (
        aiohttp.ClientSession() as http,
        http.get(server.url + path, headers={"Accept": "text/html"}) as answer,
    ):
        await answer.read()
        return answer


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
async def test_every_answer_carries_the_headers_once(
    shared_server: RunningServer, path: str, method: str
) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, shared_server.url + path, headers={"Accept": "text/html"}) as answer,
    ):
        for name, value in ALWAYS:
            found = answer.headers.getall(name.decode())
            assert len(found) == 1, (name, found)
            if name != b"content-security-policy":
                assert found == [value.decode()]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_tells_nobody_whence_and_asks_for_no_camera(
    shared_server: RunningServer, path: str
) -> None:
    answer = await got(shared_server, path)
    assert answer.content_type == "text/html"
    for name, value in OF_PAGES:
        assert answer.headers.getall(name.decode()) == [value.decode()]


@pytest.mark.parametrize("path", PATHS)
async def test_no_policy_allows_scripts_of_elsewhere_or_in_the_text(
    shared_server: RunningServer, path: str
) -> None:
    answer = await got(shared_server, path)
    rules = dict(rule.strip().split(" ", 1) for rule in answer.headers[POLICY].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules.get("script-src", "'self'") == "'self'"
    assert "unsafe-eval" not in str(rules)
    assert "http" not in str(rules)
    assert "*" not in str(rules)


async def test_other_sites_that_are_allowed_still_read_answers(
    shared_server: RunningServer,
) -> None:
    async with aiohttp.ClientSession() as http:
        url = f"{shared_server.url}/v1/openapi.json"
        async with http.get(url, headers={"Origin": "https://any.example"}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        async with http.get(f"{shared_server.url}/v1/agents") as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
