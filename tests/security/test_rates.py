"""Counting calls: numbers, windows, and that memory stays flat whatever comes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from goclaw.core.errors import RateLimited
from goclaw.core.settings import Settings
from goclaw.security import rate_storage, rates
from goclaw.security.rate_storage import MemoryStorage, SharedStorage, open_storage
from goclaw.security.rates import QUOTA, Failures, Rates, Subject, group_of
from tests.support.redis import RedisServer, with_redis


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rates_of(clock: Clock, **limits: int) -> Rates:
    return Rates(Settings.model_validate(limits), MemoryStorage(clock), clock)


def failures_of(clock: Clock, limit: int = 3) -> Failures:
    return Failures(Settings(failures_per_address=limit), MemoryStorage(clock), clock)


async def refused(call: Any) -> RateLimited:
    with pytest.raises(RateLimited) as error:
        await call
    return error.value


async def test_the_call_beyond_the_limit_is_refused_until_the_window_ends(clock: Clock) -> None:
    limited = rates_of(clock, rate_per_address=3)
    for left in (2, 1, 0):
        await limited.count_address("192.0.2.1")
        quota = QUOTA.get()
        assert quota is not None
        assert (quota.subject, quota.limit, quota.left) == (Subject.ADDRESS, 3, left)
        QUOTA.set(None)
    error = await refused(limited.count_address("192.0.2.1"))
    assert error.code == "rate_limited"
    assert error.params == {"subject": "address", "limit": 3}
    assert error.retry_after_s is not None
    assert 1 <= error.retry_after_s <= 60
    await limited.count_address("192.0.2.2")
    clock.now += error.retry_after_s
    await limited.count_address("192.0.2.1")


async def test_each_credential_and_each_user_has_a_limit(clock: Clock) -> None:
    limited = rates_of(clock, rate_per_credential=4, rate_per_user=2)
    await limited.count_caller("key-1", "ada", None)
    await limited.count_caller("key-2", "ada", None)
    assert (await refused(limited.count_caller("key-3", "ada", None))).params["subject"] == "user"
    for user in ("bob", "eve", None):
        await limited.count_caller("key-1", user, None)
    error = await refused(limited.count_caller("key-1", "zoe", None))
    assert error.params == {"subject": "credential", "limit": 4}


async def test_a_key_with_a_limit_of_its_own_has_that_one(clock: Clock) -> None:
    limited = rates_of(clock, rate_per_credential=100)
    for _ in range(2):
        await limited.count_caller("key", None, 2)
    assert (await refused(limited.count_caller("key", None, 2))).params["limit"] == 2
    generous = rates_of(clock, rate_per_credential=1)
    for _ in range(5):
        await generous.count_caller("key", None, 5)


async def test_the_scarcest_quota_is_the_one_told(clock: Clock) -> None:
    limited = rates_of(clock, rate_per_address=100, rate_per_credential=3, rate_per_user=50)
    QUOTA.set(None)
    await limited.count_address("192.0.2.1")
    await limited.count_caller("key", "ada", None)
    quota = QUOTA.get()
    assert quota is not None
    assert (quota.subject, quota.left) == (Subject.CREDENTIAL, 2)


async def test_nothing_is_counted_without_limits(clock: Clock) -> None:
    storage = MemoryStorage(clock)
    none = {"rate_per_address": 0, "rate_per_credential": 0, "rate_per_user": 0}
    limited = Rates(Settings.model_validate(none), storage, clock)
    for _ in range(10):
        await limited.count_address("192.0.2.1")
        await limited.count_caller("key", "ada", None)
    assert len(storage) == 0


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("/run/socket", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_subscriber_counts_as_one_address(address: str | None, group: str) -> None:
    assert group_of(address) == group


async def test_memory_is_bounded_however_many_addresses_come(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_storage, "MAX_COUNTERS", 100)
    storage = MemoryStorage(clock)
    for number in range(1000):
        await storage.incr(f"address:{number}", 60)
    assert len(storage) == 100
    assert await storage.incr("address:999", 60) == 2
    assert await storage.incr("address:0", 60) == 1


async def test_counters_that_ended_are_forgotten(clock: Clock) -> None:
    storage = MemoryStorage(clock)
    for number in range(50):
        await storage.incr(f"address:{number}", 60)
    clock.now += 61
    assert await storage.incr("address:0", 60) == 1
    assert len(storage) == 1


async def test_weakness_15_an_address_that_fails_too_often_is_not_looked_at(clock: Clock) -> None:
    failures = failures_of(clock)
    for _ in range(3):
        failures.check("192.0.2.1", None)
        await failures.failed("192.0.2.1")
    with pytest.raises(RateLimited) as error:
        failures.check("192.0.2.1", hash("goclaw_" + "0" * 32))
    assert error.value.code == "too_many_failures"
    assert error.value.retry_after_s is not None
    assert failures.refused == 1
    failures.check("192.0.2.2", None)
    clock.now += error.value.retry_after_s + 1
    failures.check("192.0.2.1", None)


async def test_a_key_that_held_before_is_not_locked_out_by_its_neighbours(clock: Clock) -> None:
    failures = failures_of(clock)
    failures.succeeded("192.0.2.1", 42)
    failures.succeeded("192.0.2.1", None)
    for _ in range(3):
        await failures.failed("192.0.2.1")
    failures.check("192.0.2.1", 42)
    for proof in (43, None):
        with pytest.raises(RateLimited):
            failures.check("192.0.2.1", proof)
    for _ in range(3):
        await failures.failed("192.0.2.9")
    with pytest.raises(RateLimited):
        failures.check("192.0.2.9", 42)


async def test_what_is_remembered_of_failures_is_bounded(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MAX_BLOCKED", 50)
    monkeypatch.setattr(rates, "MAX_PROVEN", 50)
    failures = failures_of(clock, limit=1)
    for number in range(500):
        await failures.failed(f"192.0.{number // 250}.{number % 250}")
        failures.succeeded("192.0.2.1", number)
    assert len(failures) == 100


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    await server.kill()


@with_redis
async def test_workers_count_together_in_redis(redis: RedisServer) -> None:
    first, second = (open_storage(redis.url) for _ in range(2))
    assert isinstance(first, SharedStorage)
    assert [await storage.incr("k", 60) for storage in (first, second, first)] == [1, 2, 3]
    await first.close()
    await second.close()


@with_redis
async def test_without_redis_each_worker_counts_for_itself(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_storage, "REDIS_PAUSE_S", 0.2)
    storage = open_storage(redis.url)
    assert await storage.incr("k", 60) == 1
    await redis.kill()
    assert [await storage.incr("k", 60) for _ in range(3)] == [1, 2, 3]
    await redis.start()
    monkeypatch.setattr(rate_storage, "monotonic", lambda: float("inf"))
    assert await storage.incr("k", 60) == 1
    await storage.close()
