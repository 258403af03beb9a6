"""Whom a request comes from, when proxies stand between.

What a client writes into X-Forwarded headers is believed as far as trusted proxies passed it on:
the right-most address that is no trusted proxy's counts, as each of them appends the address
it was called from. `Forwarded` (RFC 7239) is not read.
"""

from collections.abc import Iterable, Iterator, MutableMapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from goclaw.core.setting_types import network
from goclaw.core.settings import Settings

FORWARDED_FOR: Final = b"x-forwarded-for"
FORWARDED_HOST: Final = b"x-forwarded-host"
FORWARDED_PROTO: Final = b"x-forwarded-proto"
SCHEMES: Final = {"http": "ws", "https": "wss"}
MAX_HOPS: Final = 20

Address = IPv4Address | IPv6Address


class Proxies:
    """The trusted ones; `*` trusts whoever connects, and so one hop."""

    def __init__(self, settings: Settings) -> None:
        names = settings.forwarded_allow_ips
        self.any = "*" in names
        self._networks = [network(name) for name in names if name != "*"]
        self._trusts = lru_cache(maxsize=4096)(self._is_trusted)

    def __bool__(self) -> bool:
        return self.any or bool(self._networks)

    def trusts(self, peer: str) -> bool:
        return self.any or (bool(self._networks) and self._trusts(peer))

    def resolve(self, scope: MutableMapping[str, Any]) -> None:
        """Puts the client's own address, scheme and host into an ASGI scope."""
        peer = scope.get("client")
        if peer is None or not self.trusts(peer[0]):
            return
        hops: list[bytes] = []
        host = scheme = None
        for name, value in scope["headers"]:
            if name == FORWARDED_FOR:
                hops.append(value)
            elif name == FORWARDED_HOST:
                host = value.rpartition(b",")[2].strip()
            elif name == FORWARDED_PROTO:
                scheme = value.rpartition(b",")[2].strip().decode("latin-1").lower()
        scope["client"] = self.client(peer[0], hops), 0
        if scheme in SCHEMES:
            scope["scheme"] = SCHEMES[scheme] if scope["type"] == "websocket" else scheme
        if host:
            others = [line for line in scope["headers"] if line[0] != b"host"]
            scope["headers"] = [*others, (b"host", host)]

    def client(self, peer: str, hops: Iterable[bytes]) -> str:
        """`hops` are the lines of X-Forwarded-For. One that is no address ends the search at
        the proxy that passed it on.
        """
        named = b",".join(hops).decode("latin-1").split(",")
        last = peer
        for text in reversed(named[-MAX_HOPS:]):
            address = hop_address(text)
            if address is None:
                return last
            last = str(address)
            if self.any or not self._trusts(last):
                return last
        return last

    def _is_trusted(self, name: str) -> bool:
        address = hop_address(name)
        return address is not None and any(address in known for known in self._networks)


def hop_address(text: str) -> Address | None:
    """An address as proxies write it: bare, with a port, IPv6 also in brackets."""
    for form in _forms(text.strip()):
        try:
            address = ip_address(form)
        except ValueError:
            continue
        if isinstance(address, IPv6Address):
            return address.ipv4_mapped or IPv6Address(int(address))
        return address
    return None


def _forms(text: str) -> Iterator[str]:
    if text.startswith("["):
        inner, closed, port = text[1:].partition("]")
        if closed and (not port or (port[0] == ":" and port[1:].isdigit())):
            yield inner
        return
    yield text
    host, colon, port = text.partition(":")
    if colon and port.isdigit():
        yield host
