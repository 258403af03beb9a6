"""Addresses cannot be forged: what a client writes itself counts as far as trusted proxies go."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goclaw.core.settings import InvalidSettings, Settings, load_settings
from goclaw.security.proxies import Proxies, hop_address

PROXIES = Proxies(Settings(forwarded_allow_ips=("10.0.0.0/8", "2001:db8:1::/48")))


def scope_of(peer: str | None, *headers: tuple[str, str], kind: str = "http") -> dict[str, Any]:
    return {
        "type": kind,
        "client": None if peer is None else (peer, 1234),
        "scheme": "http" if kind == "http" else "ws",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }


def seen(peer: str, *lines: str) -> str:
    return PROXIES.client(peer, [line.encode("latin-1") for line in lines])


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["6.6.6.6, 192.0.2.7"], "192.0.2.7"),
        (["6.6.6.6", "192.0.2.7"], "192.0.2.7"),
        (["6.6.6.6, 192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (["192.0.2.7:4711"], "192.0.2.7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["2001:db8::7, 2001:db8:1::1"], "2001:db8::7"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        (["6.6.6.6, ::ffff:10.1.1.1"], "6.6.6.6"),
        (["fe80::1%eth0"], "fe80::1"),
        ([""], "10.0.0.1"),
        (["unknown"], "10.0.0.1"),
        (["6.6.6.6, garbage"], "10.0.0.1"),
        (["6.6.6.6, garbage, 10.2.2.2"], "10.2.2.2"),
        (["192.0.2.7\xff"], "10.0.0.1"),
        (["6.6.6.6,,"], "10.0.0.1"),
        (["1.2.3.4:port"], "10.0.0.1"),
        (["[::1"], "10.0.0.1"),
    ],
)
def test_weakness_15_the_rightmost_address_that_no_proxy_of_ours_has_counts(
    lines: list[str], client: str
) -> None:
    assert seen("10.0.0.1", *lines) == client


def test_weakness_15_headers_from_anybody_else_change_nothing() -> None:
    forged = (
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "admin.example"),
        ("host", "gateway.example"),
    )
    for proxies in (PROXIES, Proxies(Settings())):
        for peer in ("192.0.2.1", "2001:db8:2::1", "11.0.0.1", "not an address", None):
            scope = scope_of(peer, *forged)
            before = dict(scope)
            proxies.resolve(scope)
            assert scope == before


def test_a_proxy_says_whom_and_how_it_was_asked() -> None:
    scope = scope_of(
        "10.0.0.1",
        ("host", "backend:18790"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example, gateway.example"),
    )
    PROXIES.resolve(scope)
    assert scope["client"][0] == "192.0.2.7"
    assert scope["scheme"] == "https"
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"gateway.example"]
    socket = scope_of("10.0.0.1", ("x-forwarded-proto", "https"), kind="websocket")
    PROXIES.resolve(socket)
    assert socket["scheme"] == "wss"


@pytest.mark.parametrize("scheme", ["ftp", "javascript", "", "https evil"])
def test_a_scheme_that_is_none_is_not_believed(scheme: str) -> None:
    scope = scope_of("10.0.0.1", ("x-forwarded-proto", scheme))
    PROXIES.resolve(scope)
    assert scope["scheme"] == "http"


def test_a_star_trusts_whoever_connects_and_no_hop_behind() -> None:
    any_peer = Proxies(Settings(forwarded_allow_ips=("*",)))
    assert any_peer.client("192.0.2.1", [b"6.6.6.6, 192.0.2.7"]) == "192.0.2.7"


@pytest.mark.parametrize("value", ["10.0.0.1,proxy.example", "10.0.0.0/33", "*,x"])
def test_proxies_that_are_no_addresses_are_refused_at_the_start(value: str) -> None:
    with pytest.raises(InvalidSettings, match="GOCLAW_FORWARDED_ALLOW_IPS"):
        load_settings(forwarded_allow_ips=value)


HOP = st.one_of(
    st.ip_addresses().map(str), st.text(st.characters(max_codepoint=255), max_size=20)
).map(lambda text: text.replace(",", ""))


@given(st.lists(HOP, max_size=6), st.ip_addresses(v=4).map(str))
def test_what_a_client_puts_in_front_never_counts(forged: list[str], client: str) -> None:
    """A proxy appends the address it was called from; what stands before is the client's."""
    line = ",".join([*forged, client])
    address = hop_address(client)
    expected = client if not client.startswith("10.") else None
    found = seen("10.0.0.1", line)
    assert address is not None
    assert expected is None or found == expected


@given(st.text(max_size=40))
def test_whatever_is_written_is_an_address_or_nothing(text: str) -> None:
    address = hop_address(text)
    assert address is None or re.fullmatch(r"[0-9a-f:.]+", str(address))
