"""What is remembered of keys: the behaviours of the cache by their numbers, and ours."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from goclaw.core.errors import Unavailable
from goclaw.core.ids import uuid7
from goclaw.security import key_cache
from goclaw.security.credentials import key_hash
from goclaw.security.key_cache import KeyCache

DIGEST = key_hash("goclaw_" + "0" * 32)


@dataclass
class StoredKey:
    lasts_s: float | None = None
    id: UUID = field(default_factory=uuid7)


class Store:
    """Counts what it is asked; an answer can be held back."""

    def __init__(self, **keys: StoredKey) -> None:
        self.keys: dict[str, StoredKey] = keys
        self.asked: list[str] = []
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def look_up(self, digest: str) -> StoredKey | None:
        self.asked.append(digest)
        found = self.keys.get(digest)
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.failing:
            raise Unavailable("database_unavailable")
        return found


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(key_cache, "clock_s", clock)
    return clock


@pytest.fixture
async def store() -> Store:
    return Store(**{DIGEST: StoredKey()})


@pytest.fixture
async def cache(store: Store) -> KeyCache[StoredKey]:
    return KeyCache(store.look_up, always)


def always() -> bool:
    return True


async def passing() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_behaviours_1_and_2_a_second_use_asks_nothing(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    assert await cache.find(DIGEST) is store.keys[DIGEST]
    assert await cache.find(DIGEST) is store.keys[DIGEST]
    assert store.asked == [DIGEST]


async def test_behaviour_3_after_its_time_it_is_asked_for_again(
    cache: KeyCache[StoredKey], store: Store, clock: Clock
) -> None:
    await cache.find(DIGEST)
    clock.now += key_cache.KNOWN_S - 0.01
    await cache.find(DIGEST)
    assert len(store.asked) == 1
    clock.now += 0.02
    await cache.find(DIGEST)
    assert len(store.asked) == 2


async def test_behaviour_4_forgetting_all_asks_again(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    await cache.find(DIGEST)
    await cache.find("unknown")
    cache.forget(None)
    assert len(cache) == 0
    await cache.find(DIGEST)
    await cache.find("unknown")
    assert len(store.asked) == 4


async def test_behaviour_5_an_unknown_key_is_remembered_shorter(
    cache: KeyCache[StoredKey], store: Store, clock: Clock
) -> None:
    assert [await cache.find("unknown") for _ in range(3)] == [None] * 3
    assert len(store.asked) == 1
    clock.now += key_cache.UNKNOWN_S + 0.01
    await cache.find("unknown")
    assert len(store.asked) == 2
    assert key_cache.UNKNOWN_S < key_cache.KNOWN_S


@pytest.mark.parametrize("trusted", [True, False])
async def test_behaviour_6_500_first_uses_at_once_are_one_look_up(
    store: Store, *, trusted: bool
) -> None:
    cache = KeyCache(store.look_up, lambda: trusted)
    found = await asyncio.gather(*(cache.find(DIGEST) for _ in range(500)))
    assert found == [store.keys[DIGEST]] * 500
    assert store.asked == [DIGEST]


async def test_behaviour_20_only_the_named_key_is_forgotten(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    store.keys["other"] = StoredKey()
    for digest in (DIGEST, "other"):
        await cache.find(digest)
    cache.forget({str(store.keys["other"].id)})
    for digest in (DIGEST, "other"):
        await cache.find(digest)
    assert store.asked == [DIGEST, "other", "other"]


async def test_weakness_19_expiry_counts_inside_the_time_it_is_remembered(
    cache: KeyCache[StoredKey], store: Store, clock: Clock
) -> None:
    store.keys[DIGEST].lasts_s = 7.0
    await cache.find(DIGEST)
    clock.now += 6.9
    assert await cache.find(DIGEST) is not None
    assert len(store.asked) == 1
    clock.now += 0.2
    del store.keys[DIGEST]
    assert await cache.find(DIGEST) is None


async def test_its_time_begins_with_the_question(
    cache: KeyCache[StoredKey], store: Store, clock: Clock
) -> None:
    store.keys[DIGEST].lasts_s = 7.0
    store.gate.clear()
    asking = asyncio.create_task(cache.find(DIGEST))
    await passing()
    clock.now += 10
    store.gate.set()
    await asking
    await cache.find(DIGEST)
    assert len(store.asked) == 2


async def test_weakness_20_errors_are_not_remembered(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    store.failing = True
    results = await asyncio.gather(*(cache.find(DIGEST) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    store.failing = False
    assert await cache.find(DIGEST) is store.keys[DIGEST]


async def test_weakness_20_who_leaves_takes_nobody_along(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    store.gate.clear()
    first, second = (asyncio.create_task(cache.find(DIGEST)) for _ in range(2))
    await passing()
    first.cancel()
    await passing()
    store.gate.set()
    assert await second is store.keys[DIGEST]
    assert first.cancelled()
    assert store.asked == [DIGEST]


async def test_a_look_up_that_fails_after_all_left_is_no_lost_error(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    store.gate.clear()
    store.failing = True
    asking = asyncio.create_task(cache.find(DIGEST))
    await passing()
    asking.cancel()
    store.gate.set()
    await passing()
    store.failing = False
    assert await cache.find(DIGEST) is store.keys[DIGEST]


def _revoke(store: Store) -> set[str]:
    return {str(store.keys.pop(DIGEST).id)}


@pytest.mark.parametrize("ids", [_revoke, lambda store: (_revoke(store), None)[1]])
async def test_weakness_21_a_revoke_beats_the_look_up_under_way(
    cache: KeyCache[StoredKey], store: Store, ids: Callable[[Store], set[str] | None]
) -> None:
    store.gate.clear()
    asking = [asyncio.create_task(cache.find(DIGEST)) for _ in range(20)]
    await passing()
    cache.forget(ids(store))
    store.gate.set()
    assert await asyncio.gather(*asking) == [None] * 20
    assert await cache.find(DIGEST) is None
    assert len(store.asked) == 2


async def test_a_revoke_beats_an_answer_that_nobody_has_read_yet(
    cache: KeyCache[StoredKey], store: Store
) -> None:
    store.gate.clear()
    asking = asyncio.create_task(cache.find(DIGEST))
    await passing()
    look_up = cache._under_way[DIGEST]
    look_up.task.add_done_callback(lambda _: cache.forget(_revoke(store)))
    store.gate.set()
    assert await asking is None


async def test_without_trust_an_answer_was_asked_for_after_the_call(store: Store) -> None:
    cache = KeyCache(store.look_up, lambda: False)
    store.gate.clear()
    before = asyncio.create_task(cache.find(DIGEST))
    await passing()
    _revoke(store)  # elsewhere, and nobody can tell this worker
    after = asyncio.create_task(cache.find(DIGEST))
    await passing()
    store.gate.set()
    assert await after is None
    assert await before is not None
    assert await cache.find(DIGEST) is None
    assert len(store.asked) == 3


async def test_weakness_21_wrong_keys_push_out_neither_known_ones_nor_each_other_for_good() -> None:
    store = Store(**{f"{number}known": StoredKey() for number in range(10)})
    cache = KeyCache(store.look_up, always, known=5, unknown=7)
    for digest in [*store.keys, *(f"{number}wrong" for number in range(100))]:
        await cache.find(digest)
    assert (len(cache._known), len(cache._unknown)) == (5, 7)
    assert (cache.counts.evictions, cache.counts.misses) == (5 + 93, 110)
    store.asked.clear()
    for digest in ("9known", "99wrong", "0wrong", "0wrong"):
        await cache.find(digest)
    assert store.asked == ["0wrong"]


async def test_the_one_used_longest_ago_goes_first(store: Store) -> None:
    for name in ("a", "b", "c"):
        store.keys[name] = StoredKey()
    cache = KeyCache(store.look_up, always, known=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        await cache.find(name)
    assert store.asked == ["a", "b", "c", "b"]


async def test_equal_beginnings_are_not_equal(cache: KeyCache[StoredKey], store: Store) -> None:
    await cache.find(DIGEST)
    near = DIGEST[:-1] + ("0" if DIGEST[-1] != "0" else "1")
    assert await cache.find(near) is None
    assert await cache.find(DIGEST) is store.keys[DIGEST]
