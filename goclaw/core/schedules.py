"""When something is due: once, at intervals, or by a cron expression in a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS: Final = 5
LEAST_S: Final = 60
"""The shortest interval; a cron expression cannot be shorter."""
MOST_S: Final = 366 * 24 * 3600


class ScheduleKind(StrEnum):
    AT = "at"
    EVERY = "every"
    CRON = "cron"


def check_expression(expression: str) -> str:
    """Raises ValueError for what is no cron expression of five fields, or is never due."""
    if len(expression.split()) != FIELDS:
        raise ValueError(f"must have {FIELDS} fields: minute hour day month weekday")
    try:
        next(CronSim(expression, datetime.now(UTC)))
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {error}") from error
    except StopIteration:
        raise ValueError("is never due") from None
    return expression


def check_zone(name: str) -> str:
    """Raises ValueError for what the IANA database has no zone for."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"is no time zone such as Europe/Berlin: {name[:100]}") from error


@dataclass(frozen=True, slots=True)
class Schedule:
    """`anchor` is what intervals count from, so that they do not drift.

    In the hour that a zone skips, a job of a fixed time is due as soon as the hour is over; in
    the hour that it has twice, the first time. A job of every hour or minute goes by real time
    in both. So does the cron of Debian.
    """

    kind: ScheduleKind
    anchor: datetime
    run_at: datetime | None = None
    every_s: int | None = None
    expression: str | None = None
    timezone: str = "UTC"

    def next_after(self, instant: datetime) -> datetime | None:
        """In UTC; None when it is due no more."""
        if self.kind is ScheduleKind.AT:
            assert self.run_at is not None
            return self.run_at if self.run_at > instant else None
        if self.kind is ScheduleKind.EVERY:
            assert self.every_s is not None
            step = timedelta(seconds=self.every_s)
            return self.anchor + (max(0, (instant - self.anchor) // step) + 1) * step
        assert self.expression is not None
        local = instant.astimezone(ZoneInfo(self.timezone))
        due: datetime = next(CronSim(self.expression, local))
        return due.astimezone(UTC)
