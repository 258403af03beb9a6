"""When a child that keeps dying is started again."""

import pytest

from goclaw.embedded.process import Backoff


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def waits(backoff: Backoff, clock: Clock, times: int) -> list[float]:
    """Seconds from each death to the next start."""
    seen = []
    for _ in range(times):
        died_at = clock.now
        while not backoff.due():
            clock.now += 0.25
        seen.append(clock.now - died_at)
        backoff.started()
    return seen


def test_the_first_time_at_once_and_then_ever_later() -> None:
    clock = Clock()
    assert waits(Backoff(clock), clock, 9) == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(("lived_s", "wait_s"), [(59, 4), (61, 0)])
def test_a_minute_of_life_wipes_the_record(lived_s: float, wait_s: float) -> None:
    clock = Clock()
    backoff = Backoff(clock)
    waits(backoff, clock, 4)
    clock.now += lived_s
    assert waits(backoff, clock, 1) == [wait_s]
