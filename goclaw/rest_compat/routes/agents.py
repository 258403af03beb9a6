"""Agents, who may use them, and waking them."""

from typing import Final

from goclaw.models.chat import WakeResult
from goclaw.models.purges import PurgeReport
from goclaw.resolvers import agents, purges, wakes
from goclaw.rest_compat.records import AgentRecord, ShareRecord, StartedRun
from goclaw.rest_compat.route import Route
from goclaw.rest_compat.translations import AGENT_BODY, NEW_AGENT

VENDOR_ERRORS: Final = (429, 502, 504)
OK: Final = {"ok": "true"}
BY_AGENT_SLUG: Final = {"id": agents.get_agent}


WAKE_LATER: Final = Route(
    "POST",
    "/v1/agents/{id}/wake",
    wakes.start_wake,
    StartedRun,
    status=202,
    body_user="user_id",
    idempotent=True,
)


AGENTS: Final = (
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
        wakes.wake_agent,
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
)
