"""Where a user may make the server connect to, in every way to spell an address."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import abc
from yarl import URL

from goclaw.core.errors import InvalidInput, UpstreamFailed
from goclaw.providers.config import whole_limits
from goclaw.security.addresses import AllowedHosts, is_public, is_refused_host, literal
from goclaw.security.outbound import OutboundClient, check_url, read_limited
from tests.upstream import ScriptedUpstream

RESERVED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2600::5efe:7f00:1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
NOTATIONS = [
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "127.0.0.1.",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[0000::0001]",
]
NAMES = ["localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "db.internal"]


@pytest.mark.parametrize("address", RESERVED)
def test_reserved(address: str) -> None:
    found = literal(address)
    assert found is not None
    assert not is_public(found)
    assert is_refused_host(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    found = literal(address)
    assert found is not None
    assert is_public(found)


@pytest.mark.parametrize("host", [*NOTATIONS, *NAMES, "metadata.google.internal", "10.1"])
@pytest.mark.parametrize("form", ["http://{}", "https://{}:8443/v1", "HTTP://{}/"])
def test_refused_when_written_down(host: str, form: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_url(form.format(host), "api_base")
    assert (caught.value.code, caught.value.field) == ("host_refused", "api_base")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.openai.com",
        "//api.openai.com",
        "ftp://x.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///v1",
        "http://user@x.example",
        "http://user:pass@x.example",
        "http://:pass@x.example",
        "http://x.example:0",
        "http://x.example:99999",
        "http://x.example:http",
        "http://x.example/?q=1",
        "http://x.example/#f",
        "http://x.example\\@127.0.0.1",
        "http://127.0.0.1\\@x.example",
        "http://x y.example",
        "http://x.exa\r\nmple",
        "http://x.example/\tv1",
        "http://%31%32%37.0.0.1",
        "http://[::1",
        "http://[fe80::1%25eth0]",
    ],
)
def test_not_an_address_for_a_provider(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_url(url, "api_base")
    assert caught.value.code in ("url_invalid", "host_refused")


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "http://x.example:8080", "https://münchen.example/v1"]
)
def test_accepted_when_written_down(url: str) -> None:
    assert check_url(url, "api_base").scheme in ("http", "https")


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        ("localhost", ["http://localhost", "http://LOCALHOST:9"], ["http://127.0.0.1"]),
        ("127.0.0.1:80", ["http://127.0.0.1"], ["http://127.0.0.1:81", "http://127.1"]),
        ("[::1]:9", ["http://[::1]:9", "http://[0::1]:9"], ["http://[::1]"]),
        ("::1", ["http://[::1]", "http://[::1]:7"], ["http://[::]"]),
        (" Box.Local ", ["http://box.local:5"], ["http://x.box.local"]),
    ],
)
def test_allowed_hosts(entry: str, allowed: list[str], refused: list[str]) -> None:
    hosts = AllowedHosts([entry, "", "  "])
    for url in allowed:
        check_url(url, "api_base", hosts)
    for url in refused:
        with pytest.raises(InvalidInput):
            check_url(url, "api_base", hosts)


class Names(abc.AbstractResolver):
    """A DNS that answers as told and counts; a list of answers is given one by one."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        self.asked.append(host)
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            abc.ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as up:
        yield up


async def get(client: OutboundClient, url: str) -> aiohttp.ClientResponse:
    return await client.request("GET", URL(url), headers={}, limits=whole_limits(2, 2))


async def assert_refused(client: OutboundClient, url: str) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        await get(client, url)
    assert caught.value.code == "host_refused"
    assert caught.value.status == 502


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"],
        ["169.254.169.254"],
    ],
)
async def test_a_name_for_a_reserved_address(
    upstream: ScriptedUpstream, addresses: list[str]
) -> None:
    names = Names({"evil.example": [addresses]})
    port = URL(upstream.url).port
    async with OutboundClient(resolver=names) as client:
        await assert_refused(client, f"http://evil.example:{port}/v1/models")
    assert names.asked == ["evil.example"]
    assert upstream.requests == []


async def test_a_name_that_changes_its_address_is_asked_once(
    upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: what was checked is what is connected to. 127.0.0.1 plays a public address."""
    public = is_public
    monkeypatch.setattr(
        "goclaw.security.outbound.is_public",
        lambda address: str(address) == "127.0.0.1" or public(address),
    )
    names = Names({"evil.example": [["127.0.0.1"], ["10.0.0.1"]]})
    port = URL(upstream.url).port
    async with OutboundClient(resolver=names) as client:
        response = await get(client, f"http://evil.example:{port}/v1/models")
        assert response.status == 200
        await response.read()
    assert names.asked == ["evil.example"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]"])
async def test_literals_are_refused_at_call_time(upstream: ScriptedUpstream, host: str) -> None:
    async with OutboundClient(resolver=aiohttp.ThreadedResolver()) as client:
        await assert_refused(client, f"http://{host}:{URL(upstream.url).port}/v1/models")
    assert upstream.requests == []


async def test_the_system_resolver_finds_localhost_and_it_is_refused(
    upstream: ScriptedUpstream,
) -> None:
    async with OutboundClient() as client:
        await assert_refused(client, f"http://localhost:{URL(upstream.url).port}/v1/models")
    assert upstream.requests == []


async def test_an_allowed_name_is_reached(upstream: ScriptedUpstream) -> None:
    names = Names({"box.example": [["127.0.0.1"]]})
    port = URL(upstream.url).port
    async with OutboundClient([f"box.example:{port}"], resolver=names) as client:
        response = await get(client, f"http://box.example:{port}/v1/models")
        assert response.status == 200
        await response.read()
        await assert_refused(client, f"http://127.0.0.1:{port}/v1/models")
    assert len(upstream.requests) == 1


async def test_an_allowed_host_opens_no_other_name_for_it(upstream: ScriptedUpstream) -> None:
    names = Names({"box.example": [["127.0.0.1"]], "evil.example": [["127.0.0.1"]]})
    port = URL(upstream.url).port
    async with OutboundClient(["box.example"], resolver=names) as client:
        await (await get(client, f"http://box.example:{port}/v1/models")).read()
        await assert_refused(client, f"http://evil.example:{port}/v1/models")
    assert len(upstream.requests) == 1


async def test_redirects_and_cookies_are_left_alone(upstream: ScriptedUpstream) -> None:
    moved = (("Location", "http://10.0.0.1/"), ("Set-Cookie", "a=b"))
    upstream.garbage(b"", status=302, headers=moved)
    async with OutboundClient([upstream.host]) as client:
        url = f"{upstream.url}/v1/models"
        assert (await get(client, url)).status == 302
        await get(client, url)
    assert "cookie" not in upstream.requests[1].headers


async def test_proxies_of_the_environment_are_not_used(
    upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with OutboundClient([upstream.host]) as client:
        assert (await get(client, f"{upstream.url}/v1/models")).status == 200


async def test_a_body_beyond_the_limit(upstream: ScriptedUpstream) -> None:
    upstream.garbage(b"x" * 5000)
    async with OutboundClient([upstream.host]) as client:
        response = await get(client, f"{upstream.url}/v1/models")
        with pytest.raises(UpstreamFailed) as caught:
            await read_limited(response, 4999)
    assert caught.value.code == "upstream_too_large"


async def test_small_packets_go_at_once(upstream: ScriptedUpstream) -> None:
    async with OutboundClient([upstream.host]) as client:
        upstream.reply("x" * 20, deltas=20, every=0.02)
        response = await client.request(
            "POST",
            URL(f"{upstream.url}/v1/chat/completions"),
            headers={},
            limits=whole_limits(2, 2),
            data=b'{"stream":true}',
        )
        assert response.connection is not None
        transport = response.connection.transport
        assert transport is not None
        own = transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        response.close()


async def test_a_closed_client_says_so() -> None:
    with pytest.raises(RuntimeError):
        await get(OutboundClient(), "http://x.example")
