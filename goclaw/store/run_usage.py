"""What ended runs used, by the provider and model that were asked: one row for each run and each
of these. A run's own row has the last word on its tokens and costs, as spans may be lost in a
crash; spans say which model they belong to, and count calls.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Numeric,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlmodel import col

from goclaw.models.runs import Run, RunStatus
from goclaw.models.traces import Span, SpanType
from goclaw.models.usage import UsageHour

FIGURES: Final = (
    "runs",
    "failed_runs",
    "duration_ms",
    "model_calls",
    "unpriced_calls",
    "tool_calls",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_usd",
)
"""All of them can be summed."""

OF_RUN: Final = ("input_tokens", "output_tokens", "cached_tokens", "cost_usd")
TOLD: Final = ("cached_tokens", "cache_write_tokens", "reasoning_tokens")
"""Figures of a model call that stand in its metadata."""

MONEY: Final = Numeric(20, 8)


def summed(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """The sum of a figure, in its column's type: that of big integers would be numeric."""
    type_: Any = getattr(UsageHour, name).type
    return func.coalesce(cast(func.sum(column), type_), 0).label(name)


def _ended(*conditions: ColumnElement[bool]) -> FromClause:
    columns: tuple[Any, ...] = (
        col(Run.id),
        col(Run.trace_id),
        col(Run.agent_id),
        col(Run.user_id),
        col(Run.channel),
        col(Run.provider_name),
        col(Run.model),
        col(Run.status),
        col(Run.lane),
        col(Run.attempts),
        col(Run.started_at),
        col(Run.ended_at),
        *(col(getattr(Run, name)) for name in OF_RUN),
    )
    return select(*columns).where(col(Run.ended_at).is_not(None), *conditions).cte("ended")


def _steps(ended: FromClause) -> Subquery:
    """One row for each run and each model it asked; its tool calls stand in one without a model,
    or with that of the tool's own model calls.
    """
    kind: Any = col(Span.span_type)
    asked = or_(kind == SpanType.LLM_CALL, kind == SpanType.EMBEDDING)
    used = kind == SpanType.TOOL_CALL

    def total(of: Any, type_: Any = BigInteger) -> ColumnElement[Any]:
        return func.coalesce(cast(func.sum(of).filter(asked), type_), 0)

    told = {name: cast(col(Span.metadata_)[name].astext, BigInteger) for name in TOLD}
    columns: tuple[Any, ...] = (
        ended.c.id.label("run_id"),
        case((asked, col(Span.provider))).label("asked_provider"),
        case((asked, col(Span.model))).label("asked_model"),
        func.max(col(Span.start_time)).filter(asked).label("asked_at"),
        func.count().filter(asked).label("model_calls"),
        func.count().filter(and_(asked, col(Span.cost_usd).is_(None))).label("unpriced_calls"),
        func.count().filter(used).label("tool_calls"),
        total(col(Span.input_tokens)).label("input_tokens"),
        total(col(Span.output_tokens)).label("output_tokens"),
        *(total(of).label(name) for name, of in told.items()),
        total(col(Span.cost_usd), MONEY).label("cost_usd"),
    )
    return (
        select(*columns)
        .select_from(ended.join(Span, col(Span.trace_id) == ended.c.trace_id))
        .where(asked | used)
        .group_by("run_id", "asked_provider", "asked_model")
        .subquery("steps")
    )


def _ranked(steps: Subquery) -> Subquery:
    """The model asked last comes first; with what the run's spans have in all."""
    run = steps.c.run_id
    order = (steps.c.asked_at.desc().nulls_last(), steps.c.asked_provider, steps.c.asked_model)
    return select(
        steps,
        func.row_number().over(partition_by=run, order_by=order).label("place"),
        func.sum(steps.c.tool_calls).over(partition_by=run).label("run_tool_calls"),
        *(func.sum(steps.c[name]).over(partition_by=run).label(f"run_{name}") for name in OF_RUN),
    ).subquery("ranked")


def run_usage(*conditions: ColumnElement[bool]) -> Subquery:
    """Of the ended runs for which the conditions hold, with `at`, the instant each ended."""
    ended = _ended(*conditions)
    ranked = _ranked(_steps(ended))
    first = func.coalesce(ranked.c.place, 1) == 1
    unseen = ranked.c.run_id.is_(None)
    waited = and_(ended.c.lane.is_not(None), ended.c.attempts == 0)  # and never began

    def once(value: Any) -> ColumnElement[Any]:
        return case((first, value), else_=0)

    def whole(name: str) -> ColumnElement[Any]:
        """What spans know nothing of goes to the model asked last."""
        missing = func.coalesce(ended.c[name], 0) - func.coalesce(ranked.c[f"run_{name}"], 0)
        return func.coalesce(ranked.c[name], 0) + once(func.greatest(missing, 0))

    lasted = func.extract("epoch", ended.c.ended_at - ended.c.started_at) * 1000
    unpriced = cast(ended.c.cost_usd.is_(None), Integer)
    columns: dict[str, Any] = {
        "runs": once(1),
        "failed_runs": once(cast(ended.c.status == RunStatus.ERROR, Integer)),
        "duration_ms": once(cast(func.greatest(lasted, 0), BigInteger)),
        "model_calls": case((unseen & waited, 0), (unseen, 1), else_=ranked.c.model_calls),
        "unpriced_calls": case(
            (unseen & waited, 0), (unseen, unpriced), else_=ranked.c.unpriced_calls
        ),
        "tool_calls": once(func.coalesce(ranked.c.run_tool_calls, 0)),
        "input_tokens": whole("input_tokens"),
        "output_tokens": whole("output_tokens"),
        "cached_tokens": whole("cached_tokens"),
        "cache_write_tokens": func.coalesce(ranked.c.cache_write_tokens, 0),
        "reasoning_tokens": func.coalesce(ranked.c.reasoning_tokens, 0),
        "cost_usd": whole("cost_usd"),
    }
    return (
        select(
            ended.c.ended_at.label("at"),
            ended.c.agent_id,
            ended.c.user_id,
            func.coalesce(ranked.c.asked_provider, ended.c.provider_name).label("provider_name"),
            func.coalesce(ranked.c.asked_model, ended.c.model).label("model"),
            ended.c.channel,
            *(columns[name].label(name) for name in FIGURES),
        )
        .select_from(ended.outerjoin(ranked, ranked.c.run_id == ended.c.id))
        .where(first | (ranked.c.model_calls > 0))
        .subquery("run_usage")
    )
