"""Keys that were looked up a moment ago, so that a call need not ask the database for its own."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from typing import Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from goclaw.core.cache_counts import CacheCounts
from goclaw.core.clock import clock_s

KNOWN: Final = 10_000
KNOWN_S: Final = 300.0
UNKNOWN: Final = 10_000
UNKNOWN_S: Final = 10.0
PLACE: Final = 16
"""How many digits of a hash find an entry; the rest is compared in constant time."""


class Key(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def lasts_s(self) -> float | None:
        """From the look-up until it expires; None is for ever."""


K = TypeVar("K", bound=Key)


class Entry(NamedTuple, Generic[K]):
    digest: str
    key: K | None
    id: str
    until: float


class Recent(Generic[K]):
    """At most `limit` entries; the one that was not used for longest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[str, Entry[K]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: str) -> Entry[K] | None:
        place = digest[:PLACE]
        entry = self._entries.get(place)
        if entry is None or not hmac.compare_digest(entry.digest, digest):
            return None
        if entry.until <= clock_s():
            del self._entries[place]
            return None
        self._entries.move_to_end(place)
        return entry

    def put(self, entry: Entry[K]) -> bool:
        """Whether another one had to go."""
        place = entry.digest[:PLACE]
        self._entries[place] = entry
        self._entries.move_to_end(place)
        full = len(self._entries) > self._limit
        if full:
            self._entries.popitem(last=False)
        return full

    def drop(self, ids: Collection[str] | None) -> None:
        if ids is None:
            self._entries.clear()
            return
        for place in [place for place, entry in self._entries.items() if entry.id in ids]:
            del self._entries[place]


class LookUp(Generic[K]):
    """One question to the database, and who waits for its answer."""

    def __init__(self) -> None:
        self.sent = False
        self.task: asyncio.Task[K | None]


class KeyCache(Generic[K]):
    """`look_up` gives the valid key with a digest; `trusted` says whether what is remembered may
    be used. Without trust each call gets an answer that was asked for after it came.
    """

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[K | None]],
        trusted: Callable[[], bool],
        *,
        known: int = KNOWN,
        known_s: float = KNOWN_S,
        unknown: int = UNKNOWN,
        unknown_s: float = UNKNOWN_S,
    ) -> None:
        """`known` and `unknown` are how many keys are remembered, and how many hashes of none."""
        self.counts = CacheCounts()
        self._look_up = look_up
        self._trusted = trusted
        self._known_s, self._unknown_s = known_s, unknown_s
        self._known: Recent[K] = Recent(known)
        self._unknown: Recent[K] = Recent(unknown)
        self._under_way: dict[str, LookUp[K]] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._known) + len(self._unknown)

    async def find(self, digest: str) -> K | None:
        """None for a key that is unknown, revoked or expired. Raises what `look_up` raises,
        and remembers nothing then.
        """
        while True:
            trusted, generation = self._trusted(), self._generation
            entry = self._remembered(digest) if trusted else None
            if entry is not None:
                return self._counted(entry.key)
            self.counts.misses += 1
            look_up = self._under_way.get(digest)
            if look_up is None or (look_up.sent and not trusted):
                look_up = self._begin(digest)
            key = await asyncio.shield(look_up.task)
            if generation == self._generation:
                return key

    def forget(self, ids: Collection[str] | None) -> None:
        """The keys with these ids, or all. Who waits for an answer asks again."""
        self._generation += 1
        self._known.drop(ids)
        if ids is None:
            self._unknown.drop(None)

    def _counted(self, key: K | None) -> K | None:
        if key is None:
            self.counts.negative_hits += 1
        else:
            self.counts.hits += 1
        return key

    def _remembered(self, digest: str) -> Entry[K] | None:
        return self._known.get(digest) or self._unknown.get(digest)

    def _begin(self, digest: str) -> LookUp[K]:
        """A task of its own: whoever asked first may leave without harm to the others."""
        look_up = self._under_way[digest] = LookUp[K]()
        look_up.task = asyncio.create_task(self._ask(digest, look_up))
        look_up.task.add_done_callback(lambda _: self._answered(digest, look_up))
        return look_up

    async def _ask(self, digest: str, look_up: LookUp[K]) -> K | None:
        look_up.sent = True
        generation, asked = self._generation, clock_s()
        key = await self._look_up(digest)
        if generation == self._generation:
            self._remember(digest, key, asked)
        return key

    def _answered(self, digest: str, look_up: LookUp[K]) -> None:
        if self._under_way.get(digest) is look_up:
            del self._under_way[digest]
        if not look_up.task.cancelled():
            look_up.task.exception()  # told to those who wait; maybe nobody does any more

    def _remember(self, digest: str, key: K | None, asked: float) -> None:
        """Times count from the question, as the answer may have been long on its way."""
        if key is None:
            entry = Entry[K](digest, None, "", asked + self._unknown_s)
            self.counts.evictions += self._unknown.put(entry)
            return
        lasts_s = self._known_s if key.lasts_s is None else min(self._known_s, key.lasts_s)
        entry = Entry(digest, key, str(key.id), asked + lasts_s)
        self.counts.evictions += self._known.put(entry)
