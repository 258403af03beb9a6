"""The address guard against an oracle of another make: Python's own `is_global`, and the ranges
that carry an IPv4 address inside or were special to somebody.
"""

import socket
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goclaw.core.errors import InvalidInput
from goclaw.security.addresses import AllowedHosts, is_public, is_refused_host, literal
from goclaw.security.outbound import check_url

ALSO_REFUSED = [
    ip_network(network)
    for network in (
        *("168.63.129.16/32", "192.88.99.0/24", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # carriers of IPv4: mapped, compatible, translated, NAT64 twice, Teredo, 6to4
        *("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),
        *("2001::/23", "2002::/16", "ff00::/8", "3fff::/20", "5f00::/16", "fec0::/10"),
    )
]
IPV4 = st.ip_addresses(v=4)
EDGES_V4 = st.sampled_from(
    [
        edge + step
        for network in map(
            IPv4Network,
            (
                *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
                *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
                *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
                *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
            ),
        )
        for edge in (network[0], network[-1])
        for step in (-1, 0, 1)
        if 0 <= int(edge) + step < 2**32
    ]
)
EDGES_V6 = st.sampled_from(
    [
        edge + step
        for network in map(
            IPv6Network,
            (
                *("::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2000::/3"),
                *("2001::/32", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
                *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::ffff:0:0/96"),
            ),
        )
        for edge in (network[0], network[-1])
        for step in (-1, 0, 1)
        if 0 <= int(edge) + step < 2**128
    ]
)


def oracle(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in ALSO_REFUSED):
        return False
    if isinstance(address, IPv6Address):
        middle = (int(address) >> 32) & 0xFFFFFFFF
        if middle & 0xFFFF == 0x5EFE and (middle >> 16) & ~0x0300 == 0:
            return False
        if address not in IPv6Network("2000::/3"):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@given(IPV4 | EDGES_V4)
def test_weakness_45_v4_as_the_oracle_says(address: IPv4Address) -> None:
    assert is_public(address) == oracle(address)


@given(st.ip_addresses(v=6) | EDGES_V6 | st.ip_addresses(v=6, network="2000::/3"))
def test_weakness_45_v6_as_the_oracle_says(address: IPv6Address) -> None:
    assert is_public(address) == oracle(address)


CARRIERS = {
    "mapped": lambda v4: (0xFFFF << 32) | v4,
    "compatible": lambda v4: v4,
    "translated": lambda v4: (0xFFFF << 48) | v4,
    "6to4": lambda v4: (0x2002 << 112) | (v4 << 80) | 1,
    "teredo": lambda v4: (0x20010000 << 96) | (v4 ^ 0xFFFFFFFF),
    "nat64": lambda v4: (0x64FF9B << 96) | v4,
    "local nat64": lambda v4: (0x64FF9B0001 << 80) | v4,
    "isatap": lambda v4: (0x26000000 << 96) | (0x5EFE << 32) | v4,
    "isatap of a public address": lambda v4: (0x26000000 << 96) | (0x02005EFE << 32) | v4,
    "isatap of a group": lambda v4: (0x26000000 << 96) | (0x01005EFE << 32) | v4,
}


@pytest.mark.parametrize("carrier", CARRIERS)
@given(v4=IPV4 | EDGES_V4)
def test_no_address_within_an_address(carrier: str, v4: IPv4Address) -> None:
    address = IPv6Address(CARRIERS[carrier](int(v4)))
    assert not is_public(address)
    assert is_refused_host(f"[{address}]")


def spellings(v4: IPv4Address) -> list[str]:
    """What a resolver or a browser takes for the same address."""
    a, b, c, d = v4.packed
    whole = int(v4)
    return [
        f"{a}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.{d}.",
        f"{a}.{b}.{(c << 8) | d}",
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{whole}",
        f"0x{whole:x}",
        f"0X{whole:08X}",
        f"0{whole:o}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"0x{a:x}.0x{b:02x}.{c}.0{d:o}",
        f"000{a:o}.{b}.{c}.{d}",
        f"{a}。{b}．{c}｡{d}",  # noqa: RUF001 - full stops of other scripts
        "".join(chr(0xFF10 + int(sign)) if sign.isdigit() else sign for sign in str(v4)),
        f"[::ffff:{a}.{b}.{c}.{d}]",
    ]


@given(IPV4 | EDGES_V4)
@example(IPv4Address("127.0.0.1"))
@example(IPv4Address("169.254.169.254"))
def test_every_spelling_of_a_reserved_address_is_refused(v4: IPv4Address) -> None:
    for host in spellings(v4):
        url = f"http://{host}/v1"
        if host.startswith("[") or not oracle(v4):
            with pytest.raises(InvalidInput) as caught:
                check_url(url, "api_base")
            assert caught.value.code in ("host_refused", "url_invalid"), host


@given(st.text(st.sampled_from("0123456789abcdefxX.:[]%@-"), min_size=1, max_size=24))
@example("0x7f.1")
@example("1.1.1.1.")
def test_what_the_system_takes_for_an_address_we_do_too(host: str) -> None:
    try:
        packed = socket.inet_aton(host.rstrip("."))
    except OSError:
        return
    if any(sign.isspace() for sign in host):
        return
    found = literal(host)
    assert found is not None
    assert found == IPv4Address(packed) or host == str(found)


@pytest.mark.parametrize(
    "url",
    [
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
        "http://ｌｏｃａｌｈｏｓｔ/",  # noqa: RUF001
        "http://localhost\u3002/",
        "http://loc\u00adalhost/",
        "http://LOCALHOST.../",
        "http://metadata.google.internal./",
        "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
        "http://[fe80::1%25eth0]/",
        "http://[2600::1%25eth0]/",
        "http://1.1.1.1&@127.0.0.1/",
        "http://127.0.0.1:80\\@1.1.1.1/",
        "http://1.1.1.1@127.0.0.1/",
        "http://@127.0.0.1/",
        "http://@1.1.1.1/",
        "http://1.1.1.1%40127.0.0.1/",
        "http://127.0.0.1%00.example.com/",
        "http://127.0.0.1\t.example.com/",
        "http://%6c%6f%63%61%6c%68%6f%73%74/",
    ],
)
def test_weakness_45_look_alikes_and_tricks(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url, "api_base", whole=True)


@given(IPV4, st.integers(8, 30))
def test_a_network_allows_its_own_addresses_alone(v4: IPv4Address, prefix: int) -> None:
    network = IPv4Network((int(v4) >> (32 - prefix) << (32 - prefix), prefix))
    allowed = AllowedHosts([str(network)])
    assert allowed.has_address(v4)
    for edge in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= edge < 2**32:
            assert not allowed.has_address(IPv4Address(edge))
    assert not allowed.has_address(IPv6Address((0xFFFF << 32) | int(v4)))


def test_addresses_with_a_zone_are_refused() -> None:
    assert not is_public(ip_address("2600::1%eth0"))
    assert is_public(ip_address("2600::1"))
