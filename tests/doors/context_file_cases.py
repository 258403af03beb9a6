"""Context files of agents and of their users: fields of the GraphQL roots."""

from tests.doors.cases import AGENT, HIDDEN, Shared, mutation, query

OF_AGENT: Shared = {"variables": {"agent": "$agent"}}
WRITTEN: Shared = {"code": "agent_not_found"}

CONTEXT_FILE_QUERIES = (
    query(
        "list_context_files",
        "query ($agent: UUID!) { contextFiles(agentId: $agent) { id name content } }",
        **OF_AGENT,
        **AGENT | {"shows": "$agent_file"},
    ),
    query(
        "list_agent_instances",
        "query ($agent: UUID!) { agentInstances(agentId: $agent) { nodes { id userId } } }",
        **OF_AGENT,
        **HIDDEN,
        shows="$instance",
    ),
    query(
        "count_agent_instances",
        "query ($agent: UUID!) { agentInstances(agentId: $agent) { totalCount } }",
        **OF_AGENT,
        **HIDDEN,
        counts="data.agentInstances.totalCount",
    ),
    query(
        "get_agent_instance",
        "query ($id: UUID!) { agentInstance(id: $id) { id userId } }",
        variables={"id": "$instance"},
        shows="$instance",
        code="agent_instance_not_found",
    ),
    query(
        "list_instance_files",
        "query ($agent: UUID!) "
        "{ agentInstances(agentId: $agent) { nodes { files { id content } } } }",
        **OF_AGENT,
        **HIDDEN,
        shows="$user_file",
    ),
)
CONTEXT_FILE_MUTATIONS = (
    mutation(
        "set_context_file",
        "setContextFile",
        "SetContextFileInput",
        {"agentId": "$agent", "name": "TOOLS.md", "content": "written-$number"},
        "{ name content characters updatedAt }",
        shows="written-$number",
        **WRITTEN,
    ),
    mutation(
        "set_instance_file",
        "setInstanceFile",
        "SetInstanceFileInput",
        {"agentId": "$agent", "userId": "ada", "content": "written-$number"},
        "{ name content }",
        shows="written-$number",
        **WRITTEN,
    ),
    mutation(
        "update_agent_instance",
        "updateAgentInstance",
        "UpdateAgentInstanceInput",
        {"agentId": "$agent", "userId": "ada", "metadata": {"seat": "written-$number"}},
        "{ id metadata fileCount }",
        shows="written-$number",
        **WRITTEN,
    ),
)
