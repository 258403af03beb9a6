"""Which addresses a user may make the server connect to: public unicast, nothing else."""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

# IANA special-purpose registries, multicast, and clouds' metadata services on public numbers.
_REFUSED_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
# Inside 2000::/3: protocol assignments with Teredo, documentation, 6to4.
_REFUSED_V6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
# ISATAP keeps an IPv4 address in the interface part (RFC 5214); two bits before it may vary.
_ISATAP: Final = 0x00005EFE
_ISATAP_MASK: Final = 0xFCFFFFFF

_REFUSED_NAMES: Final = frozenset({"localhost", "metadata"})
_REFUSED_SUFFIXES: Final = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")


def is_public(address: Address) -> bool:
    """False also for IPv6 ranges that carry an IPv4 address inside."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return (
        address in _PUBLIC_V6
        and not any(address in network for network in _REFUSED_V6)
        and (int(address) >> 32) & _ISATAP_MASK != _ISATAP
        and address.scope_id is None
    )


def literal(host: str) -> Address | None:
    """The address a host part spells, in any notation `inet_aton` reads (127.1, 0x7f.1)."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeEncodeError):
        return None


@lru_cache(maxsize=1024)
def is_refused_host(host: str, allowed: "AllowedHosts | None" = None) -> bool:
    """What can be told without asking DNS; `host` is the URL's host in ASCII."""
    name = host.lower().rstrip(".")
    address = literal(name)
    if address is not None:
        return not (is_public(address) or (allowed is not None and allowed.has_address(address)))
    return not name or name in _REFUSED_NAMES or name.endswith(_REFUSED_SUFFIXES)


class AllowedHosts:
    """What an administrator named: `host` (any port), `host:port`, or a network (10.1.0.0/16).

    A network also lets through names whose addresses lie in it. Raises ValueError for an
    entry with a slash that is no network.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        named = [entry.strip() for entry in entries if entry.strip()]
        self._entries = frozenset(_entry(entry) for entry in named if "/" not in entry)
        self._networks = tuple(ip_network(entry, strict=False) for entry in named if "/" in entry)

    def __contains__(self, host_port: tuple[str, int | None]) -> bool:
        """Whether the host was named; an address of a network was not."""
        host, port = host_port
        host = _plain(host)
        return (host, None) in self._entries or (host, port) in self._entries

    def has_address(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _entry(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
        return _plain(host), int(port)
    return _plain(entry), None


@lru_cache(maxsize=1024)
def _plain(host: str) -> str:
    host = host.strip("[]").lower().rstrip(".")
    try:
        return str(ip_address(host))
    except ValueError:
        return host
