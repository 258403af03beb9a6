"""What was used, in sums: of the caller's own runs, and of all runs of agents the caller owns.

A run counts when it has ended. Bounds that are left out come from the period, of 24 hours unless
another is named; bounds that are given have the last word.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from goclaw.core.callers import Scope
from goclaw.core.errors import InvalidInput
from goclaw.core.reasons import Reason
from goclaw.models.shapes import now
from goclaw.models.usage import (
    UsageFigures,
    UsageGroup,
    UsagePeriod,
    UsagePoint,
    UsageShare,
    UsageStep,
)
from goclaw.resolvers.context import Context
from goclaw.resolvers.operation import operation
from goclaw.store.usage import Span, UsageFilter, usage_series, usage_shares, usage_totals

MAX_POINTS: Final = 10_000
LENGTHS: Final = {
    UsagePeriod.HOUR: timedelta(hours=1),
    UsagePeriod.DAY: timedelta(hours=24),
    UsagePeriod.WEEK: timedelta(days=7),
    UsagePeriod.MONTH: timedelta(days=30),
}
STEPS: Final = {UsageStep.HOUR: timedelta(hours=1), UsageStep.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """`previous` is as long as `current` and ends where that begins; of `today` it is the whole
    of yesterday.
    """

    current: UsageFigures
    previous: UsageFigures


@operation(Scope.READ)
async def list_usage(  # noqa: PLR0913, PLR0917 - the span, and each filter
    ctx: Context,
    since: datetime | None = None,
    until: datetime | None = None,
    period: UsagePeriod | None = None,
    step: UsageStep = UsageStep.HOUR,
    agent_id: UUID | None = None,
    provider: str | None = None,
    model: str | None = None,
    channel: str | None = None,
) -> Sequence[UsagePoint]:
    """By hour or day (UTC), oldest first; those without a run are left out. Raises InvalidInput
    for a span of more than 10,000 of them, and for one that ends before it begins.
    """
    span = _span(since, until, period, STEPS[step])
    matching = UsageFilter(agent_id, provider, model, channel)
    return await usage_series(ctx.reads, span, step, matching)


@operation(Scope.READ)
async def list_usage_shares(  # noqa: PLR0913, PLR0917 - the span, and each filter
    ctx: Context,
    since: datetime | None = None,
    until: datetime | None = None,
    period: UsagePeriod | None = None,
    by: UsageGroup = UsageGroup.PROVIDER,
    agent_id: UUID | None = None,
    provider: str | None = None,
    model: str | None = None,
    channel: str | None = None,
) -> Sequence[UsageShare]:
    """The 1,000 with the most tokens, these first. Raises InvalidInput as `list_usage`."""
    span = _span(since, until, period, STEPS[UsageStep.HOUR])
    matching = UsageFilter(agent_id, provider, model, channel)
    return await usage_shares(ctx.reads, span, by, matching)


@operation(Scope.READ)
async def get_usage_summary(
    ctx: Context,
    period: UsagePeriod = UsagePeriod.DAY,
    agent_id: UUID | None = None,
    provider: str | None = None,
    model: str | None = None,
    channel: str | None = None,
) -> UsageSummary:
    """The period up to now, and the one before it."""
    matching = UsageFilter(agent_id, provider, model, channel)
    current = _until_now(period, now())
    previous = (current[0] - _length(period), current[0])
    spans = (usage_totals(ctx.reads, span, matching) for span in (current, previous))
    return UsageSummary(*await asyncio.gather(*spans))


def _length(period: UsagePeriod) -> timedelta:
    return LENGTHS.get(period, STEPS[UsageStep.DAY])


def _until_now(period: UsagePeriod, at: datetime) -> tuple[datetime, datetime]:
    if period is UsagePeriod.TODAY:
        return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0), at
    return at - _length(period), at


def _span(
    since: datetime | None, until: datetime | None, period: UsagePeriod | None, step: timedelta
) -> Span:
    at = now()
    if since is None and until is None:
        return _until_now(period or UsagePeriod.DAY, at)
    if since is None:
        raise InvalidInput("required", field="from")
    until = at if until is None else until
    if since > until:
        raise InvalidInput("invalid_input", field="from", reason=Reason("before", other="to"))
    if until - since > MAX_POINTS * step:
        raise InvalidInput(
            "invalid_input", field="from", reason=Reason("too_many_points", limit=MAX_POINTS)
        )
    return since, until
