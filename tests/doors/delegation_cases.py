"""What agents give one another, and over which links: fields of the GraphQL roots."""

from tests.doors.cases import AGENT_LINK, DELEGATION, HIDDEN, TRACE, Shared, mutation, query

OF_AGENT: Shared = {"variables": {"agent": "$agent"}}
BY_LINK: Shared = {"variables": {"id": "$agent_link"}}
BY_DELEGATION: Shared = {"variables": {"id": "$delegation"}}

DELEGATION_QUERIES = (
    query("list_delegations", "{ delegations { nodes { id } } }", shows="$delegation", **HIDDEN),
    query(
        "count_delegations",
        "query ($agent: UUID) { delegations(sourceAgentId: $agent) { totalCount } }",
        counts="data.delegations.totalCount",
        **OF_AGENT,
        **HIDDEN,
    ),
    query(
        "get_delegation",
        "query ($id: UUID!) { delegation(id: $id) { id } }",
        **BY_DELEGATION,
        **DELEGATION,
    ),
    query(
        "list_child_delegations",
        "query ($id: UUID!) { delegation(id: $id) { children { id } } }",
        **BY_DELEGATION,
        **DELEGATION | {"shows": "$child_task"},
    ),
    query(
        "list_child_traces",
        "query ($id: UUID!) { trace(id: $id) { children { id } } }",
        variables={"id": "$trace"},
        **TRACE | {"shows": "$below"},
    ),
    query("list_agent_links", "{ agentLinks { nodes { id } } }", shows="$agent_link", **HIDDEN),
    query(
        "count_agent_links",
        "query ($agent: UUID) { agentLinks(agentId: $agent) { totalCount } }",
        counts="data.agentLinks.totalCount",
        **OF_AGENT,
        **HIDDEN,
    ),
    query(
        "get_agent_link",
        "query ($id: UUID!) { agentLink(id: $id) { id } }",
        **BY_LINK,
        **AGENT_LINK,
    ),
)
DELEGATION_MUTATIONS = (
    mutation(
        "create_agent_link",
        "createAgentLink",
        "CreateAgentLinkInput",
        {"sourceAgentId": "$peer", "targetAgentId": "$agent", "description": "made-$number"},
        "{ description }",
        shows="made-$number",
        code="agent_not_found",
    ),
    mutation(
        "update_agent_link",
        "updateAgentLink",
        "UpdateAgentLinkInput",
        {"id": "$agent_link", "maxConcurrent": 7},
        "{ id maxConcurrent }",
        **AGENT_LINK,
    ),
    mutation(
        "delete_agent_link",
        "deleteAgentLink",
        "DeleteAgentLinkInput",
        {"id": "$agent_link"},
        "{ id }",
        **AGENT_LINK,
    ),
)
