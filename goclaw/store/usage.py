"""What was used: hours that are counted, runs that are not yet, and days of runs that were
deleted before they could be. A run stands in one of the three, never in two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlmodel import col

from goclaw.models.agents import Agent
from goclaw.models.runs import Run
from goclaw.models.traces import CostRow
from goclaw.models.usage import (
    UsageCounted,
    UsageDay,
    UsageFigures,
    UsageGroup,
    UsageHour,
    UsagePoint,
    UsageShare,
    UsageStep,
)
from goclaw.store.database import Reads
from goclaw.store.pages import INSTANT, equals_if_given
from goclaw.store.query import CALLER, CALLER_AGENTS, Query, Visible
from goclaw.store.run_usage import FIGURES, run_usage, summed

HOUR: Final = timedelta(hours=1)
MAX_SHARES: Final = 1000
"""Rows of a breakdown; those with the fewest tokens are left out."""

EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """None leaves one out."""

    agent_id: UUID | None = None
    provider: str | None = None
    model: str | None = None
    channel: str | None = None


def _given(name: str) -> Any:
    return bindparam(name, type_=INSTANT)


SINCE, UNTIL = _given("since"), _given("until")
FIRST_HOUR, LAST_HOUR = _given("first_hour"), _given("last_hour")
"""Whole hours go from the first to before the last; what is outside has to be looked up."""

KEYS: Final = ("at", "agent_id", "user_id", "provider_name", "model", "channel")
UNTIL_COUNTED: Final = select(col(UsageCounted.until)).scalar_subquery()


def span_of(since: datetime | None, until: datetime | None) -> Mapping[str, datetime]:
    """The parameters of a span of time; one that is None has no beginning or no end."""
    begin = EARLIEST if since is None else max(since, EARLIEST).astimezone(UTC)
    end = LATEST if until is None else min(until, LATEST).astimezone(UTC)
    first = begin.replace(minute=0, second=0, microsecond=0)
    return {
        "since": begin,
        "until": end,
        "first_hour": first if first == begin else first + HOUR,
        "last_hour": end.replace(minute=0, second=0, microsecond=0),
    }


def _of_own_agent(agent_id: Any) -> ColumnElement[bool]:
    """Also what others cost: an agent's owner sees its totals, never their contents. A key that
    is bound to agents sees those of its agents alone.
    """
    within = bindparam(CALLER_AGENTS, type_=ARRAY(Uuid))
    own = select(col(Agent.id)).where(
        col(Agent.owner_id) == bindparam(CALLER),
        or_(within.is_(None), col(Agent.id) == any_(within)),
    )
    return col(agent_id).in_(own)


def _counted(visible: Visible) -> Select[Any]:
    """Hours that lie within the span as a whole."""
    at: Any = col(UsageHour.hour)
    keys = [col(getattr(UsageHour, name)) for name in KEYS[1:]]
    figures = [col(getattr(UsageHour, name)) for name in FIGURES]
    return select(at.label("at"), *keys, *figures).where(
        or_(visible(UsageHour), _of_own_agent(UsageHour.agent_id)),
        at >= FIRST_HOUR,
        at < LAST_HOUR,
        equals_if_given(col(UsageHour.agent_id), "agent_id"),
        equals_if_given(col(UsageHour.channel), "channel"),
    )


def _uncounted(visible: Visible) -> Select[Any]:
    """Runs of hours that are not counted yet, and of those that the span cuts through. Each of
    the ranges can be read off the index.
    """
    at: Any = col(Run.ended_at)
    ranges = (
        and_(at >= SINCE, at < func.least(FIRST_HOUR, UNTIL)),
        and_(at >= func.greatest(LAST_HOUR, SINCE), at < UNTIL),
        and_(at >= func.greatest(SINCE, func.coalesce(UNTIL_COUNTED, SINCE)), at < UNTIL),
    )
    used = run_usage(
        or_(visible(Run), _of_own_agent(Run.agent_id)),
        or_(*ranges),
        equals_if_given(col(Run.agent_id), "agent_id"),
        equals_if_given(col(Run.channel), "channel"),
    )
    return select(*(used.c[name] for name in (*KEYS, *FIGURES)))


def _deleted(visible: Visible) -> Select[Any]:
    """Days count whole, by their beginning; of their runs little else is known."""
    day: Any = col(UsageDay.day)
    known: dict[str, Any] = {
        "runs": col(UsageDay.runs),
        "model_calls": col(UsageDay.runs),
        "unpriced_calls": col(UsageDay.unpriced_runs),
        "input_tokens": col(UsageDay.input_tokens),
        "output_tokens": col(UsageDay.output_tokens),
        "cached_tokens": col(UsageDay.cached_tokens),
        "cost_usd": col(UsageDay.cost_usd),
    }
    channel = literal("", String)
    return select(
        day.label("at"),
        col(UsageDay.agent_id),
        col(UsageDay.user_id),
        col(UsageDay.provider_name),
        col(UsageDay.model),
        channel.label("channel"),
        *(known.get(name, literal(0, Integer)).label(name) for name in FIGURES),
    ).where(
        or_(visible(UsageDay), _of_own_agent(UsageDay.agent_id)),
        day >= SINCE,
        day < UNTIL,
        equals_if_given(col(UsageDay.agent_id), "agent_id"),
        equals_if_given(channel, "channel"),
    )


def _used(visible: Visible) -> Subquery:
    parts = union_all(_counted(visible), _uncounted(visible), _deleted(visible)).subquery("parts")
    return (
        select(parts)
        .where(
            equals_if_given(parts.c.provider_name, "provider"),
            equals_if_given(parts.c.model, "model"),
        )
        .subquery("used")
    )


def _figures(used: Subquery) -> list[ColumnElement[Any]]:
    runs = func.sum(used.c.runs)
    average = cast(func.round(func.sum(used.c.duration_ms) / func.nullif(runs, 0)), Integer)
    sums = [summed(used.c[name], name) for name in FIGURES if name != "duration_ms"]
    users = func.count(used.c.user_id.distinct())
    return [*sums, users.label("users"), average.label("avg_duration_ms")]


def _series(visible: Visible) -> Select[Any]:
    used = _used(visible)
    at = func.date_trunc(bindparam("step", type_=String), used.c.at, "UTC").label("begins")
    steps = select(used, at).subquery("steps")
    return (
        select(steps.c.begins.label("at"), *_figures(steps))
        .group_by(steps.c.begins)
        .order_by(steps.c.begins)
    )


def _shares(visible: Visible) -> Select[Any]:
    used = _used(visible)
    by = bindparam("by", type_=String)
    key = case(
        (by == UsageGroup.PROVIDER, used.c.provider_name),
        (by == UsageGroup.MODEL, used.c.model),
        (by == UsageGroup.CHANNEL, used.c.channel),
        else_=cast(used.c.agent_id, String),
    )
    agent = case((by == UsageGroup.AGENT, used.c.agent_id))
    keyed = select(used, key.label("key"), agent.label("of_agent")).subquery("keyed")
    tokens = func.sum(keyed.c.input_tokens + keyed.c.output_tokens)
    return (
        select(keyed.c.key, keyed.c.of_agent.label("agent_id"), *_figures(keyed))
        .group_by(keyed.c.key, keyed.c.of_agent)
        .order_by(tokens.desc(), keyed.c.key)
        .limit(MAX_SHARES)
    )


def _costs(visible: Visible) -> Select[Any]:
    used = _used(visible)
    cost = summed(used.c.cost_usd, "cost_usd")
    names = ("input_tokens", "output_tokens", "unpriced_calls")
    return (
        select(
            used.c.agent_id,
            cost,
            *(summed(used.c[name], name) for name in names),
            summed(used.c.runs, "runs").label("trace_count"),
        )
        .group_by(used.c.agent_id)
        .order_by(cost.desc(), used.c.agent_id)
    )


SERIES = Query[UsagePoint](_series)
SHARES = Query[UsageShare](_shares)
TOTALS = Query[UsageFigures](lambda visible: select(*_figures(_used(visible))))
COSTS = Query[CostRow](_costs)

Span = tuple[datetime | None, datetime | None]
"""The first instant, and the one that it ends before."""


async def usage_series(
    reads: Reads, span: Span, step: UsageStep, matching: UsageFilter
) -> Sequence[UsagePoint]:
    """Oldest first; hours and days without a run are left out."""
    return await SERIES.fetch(reads, step=step, **span_of(*span), **asdict(matching))


async def usage_shares(
    reads: Reads, span: Span, by: UsageGroup, matching: UsageFilter
) -> Sequence[UsageShare]:
    """Those with the most tokens first, `MAX_SHARES` of them."""
    return await SHARES.fetch(reads, by=by, **span_of(*span), **asdict(matching))


async def usage_totals(reads: Reads, span: Span, matching: UsageFilter) -> UsageFigures:
    return (await TOTALS.fetch(reads, **span_of(*span), **asdict(matching)))[0]


async def costs_by_agent(
    reads: Reads, agent_id: UUID | None, since: datetime | None, until: datetime | None
) -> Sequence[CostRow]:
    """Dearest first; `since` is included, `until` is not. Of runs that were deleted uncounted
    whole days (UTC) are counted by their beginning.
    """
    given = asdict(UsageFilter(agent_id=agent_id))
    return await COSTS.fetch(reads, **span_of(since, until), **given)
