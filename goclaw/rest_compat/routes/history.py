"""What happened: traces, costs and usage, activity."""

from typing import Any, Final

from goclaw.models.activity import ActivityView
from goclaw.models.sessions import MessageView
from goclaw.resolvers import activity, delegations, traces, usage
from goclaw.rest_compat.encoders import gzip_file
from goclaw.rest_compat.records import DelegationRecord, SpanRecord, TraceRecord
from goclaw.rest_compat.route import Part, Route
from goclaw.rest_compat.usage_records import (
    CostRecord,
    UsagePointRecord,
    UsageShareRecord,
    UsageSummaryRecord,
)

SPAN: Final = (
    "Of runs that ended from `from` to before `to`, which is now when left out; without `from` "
    "the `period` up to now, of 24 hours unless another is named."
)
TRACE_PARTS: Final = {
    "spans": Part(traces.list_spans, SpanRecord, {"trace_id": "id"}),
    "messages": Part(traces.list_trace_messages, MessageView),
}


def trace_file(content: dict[str, Any]) -> str:
    day = content["exported_at"][:10].replace("-", "")
    return f"trace-{str(content['trace']['id'])[:8]}-{day}.json.gz"


HISTORY: Final = (
    Route(
        "GET",
        "/v1/traces",
        traces.list_traces,
        TraceRecord,
        tag="Traces",
        summary="List LLM traces",
        many="traces",
        also={"total": Part(traces.count_traces)},
    ),
    Route(
        "GET",
        "/v1/traces/{traceID}",
        traces.get_trace,
        TraceRecord,
        tag="Traces",
        summary="Get trace detail",
        one="trace",
        also=TRACE_PARTS,
        names={"id": "traceID"},
    ),
    Route(
        "GET",
        "/v1/traces/{traceID}/export",
        traces.get_trace,
        TraceRecord,
        tag="Traces",
        summary="Download a trace",
        description="A JSON file, compressed with gzip.",
        one="trace",
        also=TRACE_PARTS,
        names={"id": "traceID"},
        media_type="application/gzip",
        encoder=gzip_file(trace_file),
    ),
    Route(
        "GET",
        "/v1/costs/summary",
        traces.list_costs,
        CostRecord,
        tag="Traces",
        summary="Get cost summary",
        description="One row for each agent, dearest first.",
        many="rows",
        names={"since": "from", "until": "to"},
    ),
    Route(
        "GET",
        "/v1/usage/timeseries",
        usage.list_usage,
        UsagePointRecord,
        tag="Usage",
        summary="Usage timeseries analytics",
        description=f"By hour or day (UTC); those without a run are left out. {SPAN}",
        many="points",
        names={"since": "from", "until": "to", "step": "group_by"},
    ),
    Route(
        "GET",
        "/v1/usage/breakdown",
        usage.list_usage_shares,
        UsageShareRecord,
        tag="Usage",
        summary="Usage by provider, model, channel or agent",
        description=f"The 1,000 with the most tokens, these first. {SPAN}",
        many="rows",
        names={"since": "from", "until": "to", "by": "group_by"},
    ),
    Route(
        "GET",
        "/v1/usage/summary",
        usage.get_usage_summary,
        UsageSummaryRecord,
        tag="Usage",
        summary="Usage summary",
        description="The period up to now, beside the one before it.",
    ),
    Route(
        "GET",
        "/v1/activity",
        activity.list_activity,
        ActivityView,
        tag="Activity",
        summary="List audit activity logs",
        many="logs",
        also={"total": Part(activity.count_activity)},
        names={"since": "from", "until": "to"},
    ),
    Route(
        "GET",
        "/v1/delegations",
        delegations.list_delegations,
        DelegationRecord,
        tag="Activity",
        summary="List delegation history",
        description="Tasks that agents gave one another, newest first.",
        many="records",
        also={"total": Part(delegations.count_delegations)},
    ),
    Route(
        "GET",
        "/v1/delegations/{id}",
        delegations.get_delegation,
        DelegationRecord,
        tag="Activity",
        summary="Get one task that an agent gave",
    ),
)
