"""How many calls a minute an address, a credential and a user may make.

Calls are counted in windows of a minute, which begin at another second for each counter, so
that whoever waits for the next one does not come back together with all others.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from time import time
from typing import Final, NamedTuple
from zlib import crc32

import structlog

from goclaw.core.errors import RateLimited
from goclaw.core.settings import Settings
from goclaw.security.rate_storage import Storage

log = structlog.get_logger()

WINDOW_S: Final = 60
MAX_BLOCKED: Final = 10_000
MAX_PROVEN: Final = 10_000
PROVEN_S: Final = 900
"""How long a key that held keeps its way past a throttled address."""
SUBNET_BITS: Final = 64
"""What one subscriber of IPv6 usually has for itself, and so counts as one address."""


class Subject(StrEnum):
    ADDRESS = "address"
    CREDENTIAL = "credential"
    USER = "user"


class Quota(NamedTuple):
    """`left` calls of `limit` may still be made in the next `reset_s` seconds."""

    subject: Subject
    limit: int
    left: int
    reset_s: int


QUOTA: Final[ContextVar[Quota | None]] = ContextVar("quota", default=None)
"""Of the call being answered: the scarcest of those it was counted against."""


class Rates:
    """One for each worker. A limit of 0 is none."""

    def __init__(
        self, settings: Settings, storage: Storage, clock: Callable[[], float] = time
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._per_address = settings.rate_per_address
        self._per_credential = settings.rate_per_credential
        self._per_user = settings.rate_per_user
        self.refused: Counter[Subject] = Counter(dict.fromkeys(Subject, 0))

    async def count_address(self, address: str | None) -> None:
        """Raises RateLimited."""
        if self._per_address:
            await self._count(Subject.ADDRESS, group_of(address), self._per_address)

    async def count_caller(self, credential: str, user_id: str | None, own: int | None) -> None:
        """`own` is the limit of the credential itself, instead of the server's for all.
        Raises RateLimited.
        """
        limit = own or self._per_credential
        if limit:
            await self._count(Subject.CREDENTIAL, credential, limit)
        if self._per_user and user_id is not None:
            await self._count(Subject.USER, user_id, self._per_user)

    async def _count(self, subject: Subject, name: str, limit: int) -> None:
        key = subject + ":" + name
        window, passed_s = divmod(int(self._clock()) + phase_of(key), WINDOW_S)
        count = await self._storage.incr(f"{key}:{window}", WINDOW_S)
        left = limit - count if count < limit else 0
        told = QUOTA.get()
        if told is None or left < told.left:
            QUOTA.set(Quota(subject, limit, left, WINDOW_S - passed_s))
        if count > limit:
            self.refused[subject] += 1
            if count == limit + 1:
                log.warning("rates.exceeded", subject=subject, limit=limit)
            raise RateLimited(
                "rate_limited", retry_after_s=WINDOW_S - passed_s, subject=subject, limit=limit
            )

    async def close(self) -> None:
        await self._storage.close()


class Failures:
    """Addresses whose credentials were refused too often. They are refused before anything is
    looked up, but for keys that held from there a while ago: those need not fear a neighbour.
    """

    def __init__(
        self, settings: Settings, storage: Storage, clock: Callable[[], float] = time
    ) -> None:
        self._limit = settings.failures_per_address
        self._storage = storage
        self._clock = clock
        self._blocked: OrderedDict[str, float] = OrderedDict()
        self._proven: OrderedDict[tuple[str, int], float] = OrderedDict()
        self.refused = 0
        """Attempts that were not even looked at."""

    def __len__(self) -> int:
        return len(self._blocked) + len(self._proven)

    def check(self, address: str | None, proof: int | None) -> None:
        """`proof` tells credentials apart, and is None for what can be guessed: the gateway
        token. Raises RateLimited.
        """
        if not self._blocked:
            return
        group = group_of(address)
        until = self._blocked.get(group)
        if until is None:
            return
        now = self._clock()
        if until <= now:
            del self._blocked[group]
            return
        if proof is not None and self._proven.get((group, proof), 0.0) > now:
            return
        self.refused += 1
        raise RateLimited("too_many_failures", retry_after_s=max(1, round(until - now)))

    def succeeded(self, address: str | None, proof: int | None) -> None:
        if proof is None:
            return
        known = (group_of(address), proof)
        self._proven[known] = self._clock() + PROVEN_S
        if len(self._proven) > MAX_PROVEN:
            self._proven.popitem(last=False)

    async def failed(self, address: str | None) -> bool:
        """Whether the address may try no more in this minute."""
        if not self._limit:
            return False
        group = group_of(address)
        now = self._clock()
        window, passed_s = divmod(now, WINDOW_S)
        count = await self._storage.incr(f"failures:{group}:{int(window)}", WINDOW_S)
        if count < self._limit:
            return False
        if group not in self._blocked:
            log.warning("sign_in.throttled", address=address, failures=count)
        self._blocked[group] = now + WINDOW_S - passed_s
        if len(self._blocked) > MAX_BLOCKED:
            self._blocked.popitem(last=False)
        return True


@lru_cache(maxsize=4096)
def phase_of(key: str) -> int:
    """When the windows of a counter begin: the same second at every worker."""
    return crc32(key.encode("utf-8", "surrogatepass")) % WINDOW_S


@lru_cache(maxsize=4096)
def group_of(address: str | None) -> str:
    """What counts as one address: an IPv4 address, a /64 of IPv6."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    network = int(parsed) >> (128 - SUBNET_BITS) << (128 - SUBNET_BITS)
    return f"{IPv6Address(network)}/{SUBNET_BITS}"
