"""When calls to a vendor that fails are stopped, and how they begin again."""

import pytest

from goclaw.core.errors import Unavailable
from goclaw.core.provider_settings import read_settings
from goclaw.models.providers import BreakerState
from goclaw.runtime.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("goclaw.runtime.breaker.monotonic", clock)
    return clock


def breaker(failures: int = 3, window_s: float = 60, open_s: float = 30) -> Breaker:
    settings = read_settings(
        {"breaker_failures": failures, "breaker_window_s": window_s, "breaker_open_s": open_s}
    )
    return Breaker("mine", settings)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.enter()
        breaker.fail("upstream_failed")


def refused(breaker: Breaker) -> int:
    with pytest.raises(Unavailable) as caught:
        breaker.enter()
    assert caught.value.code == "provider_unavailable"
    assert "mine" in str(caught.value)
    assert caught.value.retry_after_s is not None
    return caught.value.retry_after_s


def test_it_opens_after_so_many_failures(clock: Clock) -> None:
    b = breaker()
    fail(b, 2)
    assert (b.state, b.health().failures) == (BreakerState.CLOSED, 2)
    fail(b)
    assert b.state is BreakerState.OPEN
    assert refused(b) == 30
    clock.now += 10.5
    assert refused(b) == b.health().retry_after_s == 20
    assert b.health().last_error == "upstream_failed"
    assert b.health().times_opened == 1


def test_failures_are_forgotten_behind_the_window(clock: Clock) -> None:
    b = breaker()
    for _ in range(10):
        fail(b)
        clock.now += 31
    assert b.state is BreakerState.CLOSED
    assert b.health().failures == 1


def test_as_many_answers_keep_it_closed(clock: Clock) -> None:
    b = breaker()
    fail(b)
    for _ in range(50):
        b.enter()
        b.succeed()
    fail(b, 49)
    assert b.health().times_opened == 1
    c = breaker()
    fail(c)
    for _ in range(50):
        c.enter()
        c.succeed()
    fail(c, 48)
    assert c.state is BreakerState.CLOSED


def test_one_call_is_let_through_to_see(clock: Clock) -> None:
    b = breaker()
    fail(b, 3)
    clock.now += 30
    assert (b.state, b.health().retry_after_s) == (BreakerState.HALF_OPEN, None)
    b.enter()
    assert refused(b) == 1
    b.succeed()
    assert (b.state, b.health().failures) == (BreakerState.CLOSED, 0)
    fail(b, 2)
    assert b.state is BreakerState.CLOSED


def test_a_failed_look_stops_calls_again(clock: Clock) -> None:
    b = breaker()
    fail(b, 3)
    clock.now += 30
    fail(b)
    assert b.state is BreakerState.OPEN
    assert refused(b) == 30
    assert b.health().times_opened == 2


def test_a_look_that_was_given_up_lets_another_one_through(clock: Clock) -> None:
    b = breaker()
    fail(b, 3)
    clock.now += 30
    b.enter()
    b.leave()
    b.enter()


def test_calls_under_way_do_not_prolong_it(clock: Clock) -> None:
    b = breaker()
    for _ in range(6):
        b.enter()
    for _ in range(6):
        b.fail("upstream_timeout")
        clock.now += 1
    assert refused(b) == 26
    assert b.health().times_opened == 1


def test_nought_never_opens(clock: Clock) -> None:
    b = breaker(failures=0)
    fail(b, 1000)
    assert b.state is BreakerState.CLOSED
