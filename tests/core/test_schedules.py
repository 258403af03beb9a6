"""When jobs are due, also where the clock is changed."""

from datetime import UTC, datetime, timedelta

import pytest

from goclaw.core.schedules import Schedule, ScheduleKind, check_expression, check_zone

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def cron(expression: str, zone: str = "Europe/Berlin") -> Schedule:
    return Schedule(ScheduleKind.CRON, START, expression=expression, timezone=zone)


def times(schedule: Schedule, after: str, count: int) -> list[str]:
    """The next ones, in UTC."""
    instant: datetime | None = datetime.fromisoformat(after)
    found = []
    for _ in range(count):
        assert instant is not None
        instant = schedule.next_after(instant)
        assert instant is not None
        found.append(instant.strftime("%m-%d %H:%M"))
    return found


def test_once_is_due_once() -> None:
    at = Schedule(ScheduleKind.AT, START, run_at=START)
    assert at.next_after(START - timedelta(seconds=1)) == START
    assert at.next_after(START) is None


@pytest.mark.parametrize("late_s", [0, 0.5, 59, 60, 3601, 86_400 * 365])
def test_an_interval_does_not_drift(late_s: float) -> None:
    every = Schedule(ScheduleKind.EVERY, START, every_s=60)
    instant = START + timedelta(seconds=late_s)
    due = every.next_after(instant)
    assert due is not None
    assert (due - START) % timedelta(seconds=60) == timedelta(0)
    assert timedelta(0) < due - instant <= timedelta(seconds=60)


def test_an_interval_that_begins_later_is_first_due_after_its_beginning() -> None:
    every = Schedule(ScheduleKind.EVERY, START, every_s=60)
    assert every.next_after(START - timedelta(days=1)) == START + timedelta(seconds=60)


def test_a_fixed_time_moves_with_the_zone() -> None:
    daily = cron("30 9 * * *")
    assert times(daily, "2026-03-27T12:00+00:00", 3) == [
        "03-28 08:30",
        "03-29 07:30",
        "03-30 07:30",
    ]


def test_in_the_hour_that_is_skipped_it_is_due_right_after() -> None:
    """Berlin has no 02:30 on 29 March 2026."""
    assert times(cron("30 2 * * *"), "2026-03-28T12:00+00:00", 2) == ["03-29 01:00", "03-30 00:30"]


def test_in_the_hour_that_comes_twice_it_is_due_once() -> None:
    """Berlin has 02:30 twice on 25 October 2026."""
    assert times(cron("30 2 * * *"), "2026-10-24T12:00+00:00", 2) == ["10-25 00:30", "10-26 01:30"]


def test_every_hour_is_every_hour() -> None:
    hourly = cron("30 * * * *")
    assert times(hourly, "2026-10-24T23:45+00:00", 3) == [
        "10-25 00:30",
        "10-25 01:30",
        "10-25 02:30",
    ]
    assert times(hourly, "2026-03-28T23:45+00:00", 3) == [
        "03-29 00:30",
        "03-29 01:30",
        "03-29 02:30",
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "a b c d e",
        "0 0 30 2 *",
        "*/0 * * * *",
        "@daily",
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"must have|no cron|never"):
        check_expression(expression)


def test_zones_are_those_of_iana() -> None:
    assert check_zone("America/New_York") == "America/New_York"
    for name in ("", "Mars/Base", "../etc/passwd", "/etc/passwd", "x" * 5000, "Europe"):
        with pytest.raises(ValueError, match="is no time zone"):
            check_zone(name)
