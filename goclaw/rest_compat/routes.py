"""Every operation of this door, by method and path."""

from typing import Any, Final

from goclaw.core.paging import PageRequest
from goclaw.models.activity import ActivityView
from goclaw.models.api_keys import ApiKeyView, CreatedApiKey
from goclaw.models.chat import WakeResult
from goclaw.models.providers import ProviderModelView, ProviderVerification
from goclaw.models.purges import PurgeReport
from goclaw.models.sessions import MessageView
from goclaw.models.system import Health
from goclaw.resolvers import (
    activity,
    agents,
    api_keys,
    chat,
    providers,
    purges,
    runs,
    system,
    traces,
)
from goclaw.rest_compat.chat import AGENT_HEADERS, complete_chat
from goclaw.rest_compat.encoders import gzip_file
from goclaw.rest_compat.parameters import ALL_ROWS
from goclaw.rest_compat.records import (
    AgentRecord,
    ChatCompletion,
    CostRecord,
    ModelRecord,
    ProviderRecord,
    ShareRecord,
    SpanRecord,
    StartedRun,
    TraceRecord,
)
from goclaw.rest_compat.route import Part, Route
from goclaw.rest_compat.translations import AGENT_BODY, CHAT_BODY, NEW_AGENT, PROVIDER_BODY

VENDOR_ERRORS: Final = (429, 502, 504)
OK: Final = {"ok": "true"}
BY_AGENT_SLUG: Final = {"id": agents.get_agent}
BY_PROVIDER_SLUG: Final = {"id": providers.get_provider}
TRACE_PARTS: Final = {
    "spans": Part(traces.list_spans, SpanRecord, {"trace_id": "id"}),
    "messages": Part(traces.list_trace_messages, MessageView),
}


def trace_file(content: dict[str, Any]) -> str:
    day = content["exported_at"][:10].replace("-", "")
    return f"trace-{str(content['trace']['id'])[:8]}-{day}.json.gz"


WAKE_LATER: Final = Route(
    "POST",
    "/v1/agents/{id}/wake",
    runs.start_wake,
    StartedRun,
    status=202,
    body_user="user_id",
    idempotent=True,
)

ROUTES: Final = (
    Route(
        "GET",
        "/health",
        system.get_health,
        Health,
        tag="System",
        summary="Health check",
        anonymous=True,
    ),
    Route(
        "POST",
        "/v1/chat/completions",
        chat.start_chat,
        ChatCompletion,
        tag="Chat",
        summary="OpenAI-compatible chat completions",
        description="Speaks to an agent. `model` names it: `goclaw:<id or key>`, "
        "`agent:<id or key>` or the bare key; any other name means the agent of the "
        "X-GoClaw-Agent-Id header, else the default agent. With `stream` the answer comes as "
        "server-sent events; a failure after the first of them is an event with `error`, and no "
        "`[DONE]` follows it.",
        headers={"agent": AGENT_HEADERS},
        handler=complete_chat,
        translation=CHAT_BODY,
        body_user="user",
        openai_errors=True,
        errors=(404, 409, *VENDOR_ERRORS),
    ),
    Route(
        "GET",
        "/v1/models",
        agents.list_agents,
        ModelRecord,
        tag="Chat",
        summary="List the agents as models",
        many="data",
        constants={"object": "list"},
        fixed={"page": PageRequest(ALL_ROWS), "search": None},
        openai_errors=True,
    ),
    Route(
        "GET",
        "/v1/models/{id}",
        agents.get_agent,
        ModelRecord,
        tag="Chat",
        summary="Get an agent as a model",
        openai_errors=True,
    ),
    Route(
        "GET",
        "/v1/api-keys",
        api_keys.list_api_keys,
        ApiKeyView,
        tag="API Keys",
        summary="List all API keys",
        description="Revoked and expired ones too, newest first.",
        many="",
        fixed={"page": PageRequest(ALL_ROWS)},
    ),
    Route(
        "POST",
        "/v1/api-keys",
        api_keys.create_api_key,
        CreatedApiKey,
        status=201,
        tag="API Keys",
        summary="Create a new API key",
        description="The key itself is told this once.",
        idempotent=True,
        errors=(409,),
    ),
    Route(
        "DELETE",
        "/v1/api-keys/{id}",
        api_keys.revoke_api_key,
        constants={"status": "revoked"},
        tag="API Keys",
        summary="Revoke an API key",
    ),
    Route(
        "POST",
        "/v1/api-keys/{id}/revoke",
        api_keys.revoke_api_key,
        constants={"status": "revoked"},
        tag="API Keys",
        summary="Revoke an API key, as older clients do",
    ),
    Route(
        "GET",
        "/v1/agents",
        agents.list_agents,
        AgentRecord,
        tag="Agents",
        summary="List agents",
        description="Own, shared and default agents, newest first; owners and administrators "
        "see all.",
        many="agents",
        default_limit=None,
    ),
    Route(
        "POST",
        "/v1/agents",
        agents.create_agent,
        AgentRecord,
        status=201,
        tag="Agents",
        summary="Create agent",
        translation=NEW_AGENT,
        errors=(404, 409),
    ),
    Route(
        "GET",
        "/v1/agents/{id}",
        agents.get_agent,
        AgentRecord,
        tag="Agents",
        summary="Get agent",
    ),
    Route(
        "PUT",
        "/v1/agents/{id}",
        agents.update_agent,
        AgentRecord,
        tag="Agents",
        summary="Update agent",
        description="Only what is sent is changed; a whole record read before may be sent back, "
        "with `name` and `agent_key` alike.",
        constants=OK,
        by_slug=BY_AGENT_SLUG,
        translation=AGENT_BODY,
        errors=(409,),
    ),
    Route(
        "DELETE",
        "/v1/agents/{id}",
        agents.delete_agent,
        tag="Agents",
        summary="Delete agent",
        constants=OK,
        by_slug=BY_AGENT_SLUG,
    ),
    Route(
        "GET",
        "/v1/agents/{id}/shares",
        agents.list_shares,
        ShareRecord,
        tag="Agents",
        summary="List whom an agent is shared with",
        many="shares",
        by_slug=BY_AGENT_SLUG,
    ),
    Route(
        "POST",
        "/v1/agents/{id}/shares",
        agents.share_agent,
        status=201,
        tag="Agents",
        summary="Share an agent",
        description="A user it is shared with already gets the new role.",
        constants=OK,
        by_slug=BY_AGENT_SLUG,
    ),
    Route(
        "DELETE",
        "/v1/agents/{id}/shares/{userID}",
        agents.unshare_agent,
        tag="Agents",
        summary="Take a share back",
        constants=OK,
        names={"user_id": "userID"},
        by_slug=BY_AGENT_SLUG,
    ),
    Route(
        "POST",
        "/v1/agents/{id}/transfer",
        agents.transfer_agent,
        AgentRecord,
        tag="Agents",
        summary="Give an agent to another user",
        description="Shares with others stay. With `keep_access` the old owner gets an admin "
        "share.",
        by_slug=BY_AGENT_SLUG,
    ),
    Route(
        "POST",
        "/v1/users/{userID}/transfer-agents",
        agents.transfer_agents,
        tag="Users",
        summary="Give all agents of a user to another one",
        many="ids",
        names={"user_id": "userID"},
    ),
    Route(
        "POST",
        "/v1/users/{userID}/purge",
        purges.purge_user,
        PurgeReport,
        tag="Users",
        summary="Delete the data of a user",
        description="Sessions, messages, traces, events and shares go, keys bound to the user are "
        "revoked; figures of runs and the audit stay under a pseudonym. Refused while a run of "
        "the user goes on, and for an owner of agents unless `delete_agents` is set.",
        names={"user_id": "userID"},
        errors=(409,),
    ),
    Route(
        "POST",
        "/v1/agents/{id}/wake",
        runs.wake_agent,
        WakeResult,
        tag="Agents",
        summary="Wake an agent from outside",
        description="Waits for the answer. With `Prefer: respond-async` the run is answered at "
        "once (202) and goes on.",
        body_user="user_id",
        idempotent=True,
        errors=(409, *VENDOR_ERRORS),
        respond_async=WAKE_LATER,
    ),
    Route(
        "GET",
        "/v1/providers",
        providers.list_providers,
        ProviderRecord,
        tag="Providers",
        summary="List LLM providers",
        description="API keys are masked.",
        many="providers",
        default_limit=None,
    ),
    Route(
        "POST",
        "/v1/providers",
        providers.create_provider,
        ProviderRecord,
        status=201,
        tag="Providers",
        summary="Create LLM provider",
        translation=PROVIDER_BODY,
        errors=(409,),
    ),
    Route(
        "GET",
        "/v1/providers/{id}",
        providers.get_provider,
        ProviderRecord,
        tag="Providers",
        summary="Get provider",
    ),
    Route(
        "PUT",
        "/v1/providers/{id}",
        providers.update_provider,
        ProviderRecord,
        tag="Providers",
        summary="Update provider",
        description="Only what is sent is changed. An `api_key` of `***` or nothing keeps the "
        "key; another `api_base` or `provider_type` needs it once more.",
        constants={"status": "updated"},
        by_slug=BY_PROVIDER_SLUG,
        translation=PROVIDER_BODY,
        errors=(409,),
    ),
    Route(
        "DELETE",
        "/v1/providers/{id}",
        providers.delete_provider,
        tag="Providers",
        summary="Delete provider",
        constants={"status": "deleted"},
        by_slug=BY_PROVIDER_SLUG,
        errors=(409,),
    ),
    Route(
        "GET",
        "/v1/providers/{id}/models",
        providers.list_models,
        ProviderModelView,
        tag="Providers",
        summary="List available models",
        many="models",
        errors=VENDOR_ERRORS,
    ),
    Route(
        "POST",
        "/v1/providers/{id}/verify",
        providers.verify_provider,
        ProviderVerification,
        tag="Providers",
        summary="Verify provider connection",
        description="Asks the model for a few tokens; a refusal is `valid: false`.",
    ),
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
        "/v1/activity",
        activity.list_activity,
        ActivityView,
        tag="Activity",
        summary="List audit activity logs",
        many="logs",
        also={"total": Part(activity.count_activity)},
    ),
)
