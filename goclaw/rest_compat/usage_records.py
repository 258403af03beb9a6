"""What was used, as this interface has always called the figures. Costs are in US dollars, as
numbers; calls without a known price are no part of them, and are counted beside them.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from goclaw.models.shapes import View
from goclaw.models.usage import UsageFigures
from goclaw.rest_compat.views import From, writer


def or_zero(number: int | None) -> int:
    return number or 0


class UsageRecord(View):
    input_tokens: int
    output_tokens: int
    cache_read_tokens: Annotated[int, From("cached_tokens")]
    cache_create_tokens: Annotated[int, From("cache_write_tokens")]
    thinking_tokens: Annotated[int, From("reasoning_tokens")]
    total_cost: Annotated[float, From("cost_usd", float)]
    unpriced_call_count: Annotated[int, From("unpriced_calls")]
    request_count: Annotated[int, From("runs")]
    llm_call_count: Annotated[int, From("model_calls")]
    tool_call_count: Annotated[int, From("tool_calls")]
    error_count: Annotated[int, From("failed_runs")]
    unique_users: Annotated[int, From("users")]
    avg_duration_ms: Annotated[int, From("avg_duration_ms", or_zero)]


class UsagePointRecord(UsageRecord):
    bucket_time: Annotated[datetime, From("at")]


class UsageShareRecord(UsageRecord):
    """`key` is a name, of an agent its id."""

    key: str


class UsageTotalsRecord(View):
    requests: Annotated[int, From("runs")]
    input_tokens: int
    output_tokens: int
    cost: Annotated[float, From("cost_usd", float)]
    unpriced_calls: int
    unique_users: Annotated[int, From("users")]
    errors: Annotated[int, From("failed_runs")]
    llm_calls: Annotated[int, From("model_calls")]
    tool_calls: int
    avg_duration_ms: Annotated[int, From("avg_duration_ms", or_zero)]


def totals(figures: UsageFigures) -> dict[str, Any]:
    return writer(UsageTotalsRecord).one(figures)


class UsageSummaryRecord(View):
    current: Annotated[UsageTotalsRecord, From("current", totals)]
    previous: Annotated[UsageTotalsRecord, From("previous", totals)]


class CostRecord(View):
    """What one agent's runs used; `unpriced_call_count` are model calls without a known price."""

    agent_id: UUID | None
    total_cost: Annotated[float, From("cost_usd", float)]
    unpriced_call_count: Annotated[int, From("unpriced_calls")]
    total_input_tokens: Annotated[int, From("input_tokens")]
    total_output_tokens: Annotated[int, From("output_tokens")]
    trace_count: int
