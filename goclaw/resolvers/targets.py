"""Where chat calls went a moment ago, so that a call need not ask the database again."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from goclaw.core.cache_counts import CacheCounts
from goclaw.core.clock import clock_s
from goclaw.store.database import Reads
from goclaw.store.targets import Target, target

TARGETS: Final = "targets"
"""What these caches are called where they are told to forget."""
KNOWN: Final = 1_000
KNOWN_S: Final = 60.0
"""For rows that somebody changes past the server."""
MAX_PROMPT_CHARS: Final = 32_000
"""A longer prompt is not kept, so that the cache is bounded in bytes, too."""

Place: TypeAlias = tuple[bool, str | None, frozenset[UUID] | None, UUID | None, str, bool]
"""Whether all rows are looked at or whose, among which agents, and what for."""


class Entry(NamedTuple):
    target: Target
    until: float


class Targets:
    """At most `KNOWN` of them; the one that was not used for longest goes first. `trusted` says
    whether what is remembered may be used at this moment (`Trust.holds`).
    """

    def __init__(self, trusted: Callable[[], bool]) -> None:
        self.counts = CacheCounts()
        self._trusted = trusted
        self._entries: OrderedDict[Place, Entry] = OrderedDict()
        self._generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    async def find(
        self, reads: Reads, *, id: UUID | None, key: str, or_default: bool
    ) -> Target | None:
        """As `store.targets.target`, by which it is asked for."""
        caller = reads.caller
        place = (caller.sees_all, caller.user_id, caller.agent_ids, id, key, or_default)
        if self._trusted() and (known := self._remembered(place)):
            self.counts.hits += 1
            return known
        self.counts.misses += 1
        generation, asked = self._generation, clock_s()
        found = await target(reads, id=id, key=key, or_default=or_default)
        if found is not None and generation == self._generation:
            self._remember(place, found, asked)
        return found

    def forget(self, _: Collection[str] | None) -> None:
        """Everything, as who sees which agent hangs on several rows. What is being read at the
        time is not kept either.
        """
        self._generation += 1
        self._entries.clear()

    def _remembered(self, place: Place) -> Target | None:
        entry = self._entries.get(place)
        if entry is None or entry.until <= clock_s():
            return None
        self._entries.move_to_end(place)
        return entry.target

    def _remember(self, place: Place, found: Target, asked: float) -> None:
        if len(found.system_prompt) > MAX_PROMPT_CHARS:
            return
        self._entries[place] = Entry(found, asked + KNOWN_S)
        self._entries.move_to_end(place)
        if len(self._entries) > KNOWN:
            self._entries.popitem(last=False)
            self.counts.evictions += 1
