from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.errors import InvalidInput
from goclaw.core.paging import page_request
from goclaw.core.reasons import Reason
from goclaw.models import agents as models
from goclaw.models.parsing import parse_shape
from goclaw.models.providers import Provider as ProviderRow
from goclaw.resolvers.agents import (
    count_agents,
    create_agent,
    delete_agent,
    get_agent,
    list_agents,
    list_shares,
    may_change_agent,
    preview_agent,
    share_agent,
    transfer_agent,
    transfer_agents,
    unshare_agent,
    update_agent,
)
from goclaw.resolvers.providers import get_provider
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field, input_of, mutation, parse
from goclaw.schema.info import Info
from goclaw.schema.providers import Provider
from goclaw.schema.scalars import JSON
from goclaw.schema.words import Deleted, Gone, In

WORDS = {
    "key": "Unique: lowercase letters, digits and hyphens. OpenAI clients name it as the model.",
    "provider_id": "The provider that has its model; absent is the default agent's.",
    "model": "The model, by the vendor's name; absent is the default agent's.",
    "display_name": "The name shown to people.",
    "description": "What it is for.",
    "system_prompt": "What it is told before every conversation.",
    "agent_type": "Who shapes it.",
    "status": "Whether it answers.",
    "is_default": "Everybody sees the default agent; only an administrator chooses it.",
    "context_window": "How much it reads, in tokens.",
    "max_output_tokens": "The longest answer, in tokens.",
    "max_tool_iterations": "How often it may call tools in one answer.",
    "temperature": "0 to 2; null is the vendor's own.",
    "budget_monthly_cents": "What it may cost a month, in US cents; null is no limit.",
    "store_contents": "Whether what is said is kept; else only figures and costs are.",
    "uses_context_files": "Whether it keeps context files, and begins with each user by getting to "
    "know them; a new one that is predefined does unless told otherwise.",
    "frontmatter": "Facts about it in YAML, for other programs.",
    "tools_config": "Its tools: `profile`, `allow`, `alsoAllow`, `deny`, `byProvider`.",
    "other_config": "`thinking_level`, `history_limit`, `self_evolve`, and settings of other "
    "programs.",
}
NOT_YET = frozenset(
    {
        "sandbox_config",
        "subagents_config",
        "memory_config",
        "compaction_config",
        "context_pruning",
    }
)
"""Settings that `/v1` keeps and nothing reads so far."""

KEEP_ACCESS = "Whether the old owner gets an admin share."

Search = Annotated[str | None, argument("A part of the key or the name shown, in any case.")]


@strawberry.type(description="Another user's right to an agent.")
class AgentShare:
    id: UUID = described("Its id.")
    user_id: str = described("The user it is shared with.")
    role: models.ShareRole = described("What that user may do.")
    granted_by: str = described("Who shared it.")
    created_at: datetime = described("When it was shared.")


OtherPrompt = Annotated[str | None, argument("In place of its own prompt.")]
OtherTools = Annotated[JSON | None, argument("In place of its own `toolsConfig`.")]


@strawberry.type(description="What a model is told before anybody speaks.")
class AgentPreview:
    system_prompt: str = described("All of it: the agent's own, and what the server adds.")
    tools: list[str] = described("The tools it may call, by name.")


@strawberry.type(description="A model with a prompt and limits, that answers.")
class Agent:
    id: UUID = described("Its id.")
    key: str = described(WORDS["key"])
    display_name: str | None = described(WORDS["display_name"])
    description: str | None = described(WORDS["description"])
    owner_id: str = described("The user it belongs to.")
    provider_id: strawberry.Private[UUID]
    model: str = described("The model, by the vendor's name.")
    system_prompt: str = described(WORDS["system_prompt"])
    agent_type: models.AgentType = described(WORDS["agent_type"])
    status: models.AgentStatus = described(WORDS["status"])
    is_default: bool = described("It answers where no agent is named, and everybody sees it.")
    context_window: int = described(WORDS["context_window"])
    max_output_tokens: int = described(WORDS["max_output_tokens"])
    max_tool_iterations: int = described(WORDS["max_tool_iterations"])
    temperature: float | None = described(WORDS["temperature"])
    budget_monthly_cents: int | None = described(WORDS["budget_monthly_cents"])
    store_contents: bool = described(WORDS["store_contents"])
    uses_context_files: bool = described(WORDS["uses_context_files"])
    frontmatter: str | None = described(WORDS["frontmatter"])
    tools_config: JSON = described(WORDS["tools_config"])
    other_config: JSON = described(WORDS["other_config"])
    created_at: datetime = described("When it was made.")
    updated_at: datetime = described("When it was changed last.")

    @field(Provider, "The provider that has its model.")
    async def provider(self, info: Info) -> ProviderRow:
        return await get_provider(info.context, self.provider_id)

    @field(list[AgentShare], "All shares for whoever administers it; others see their own.")
    async def shares(self, info: Info) -> list[models.AgentShare]:
        return await list_shares(info.context, self.id)

    @field(bool, "Whether the caller may change it.")
    async def may_edit(self, info: Info) -> bool:
        return await may_change_agent(info.context, self.id)

    @field(AgentPreview, "What its model would be told and offered, were the caller to speak now.")
    async def preview(
        self, info: Info, system_prompt: OtherPrompt = None, tools_config: OtherTools = None
    ) -> models.AgentPreview:
        names = {"system_prompt": "systemPrompt", "tools_config": "toolsConfig"}
        sent = {"system_prompt": system_prompt, "tools_config": tools_config}
        given = {name: value for name, value in sent.items() if value is not None}
        changes = parse_shape(models.AgentPatch, given, rename=names)
        return await preview_agent(info.context, self.id, changes)


@input_of(models.AgentCreate, WORDS, "A new agent.", leave_out=NOT_YET | {"status"})
class CreateAgentInput:
    pass


@input_of(
    models.AgentPatch,
    WORDS,
    "Changes to an agent: what is absent stays, null clears.",
    leave_out=NOT_YET,
)
class UpdateAgentInput:
    id: UUID = described("The agent to change.")


@strawberry.input(description="The agent to delete.")
class DeleteAgentInput:
    id: UUID = described("Its id.")


@strawberry.input(description="A share to add, or whose role changes.")
class ShareAgentInput:
    agent_id: UUID = described("The agent.")
    user_id: str = described("The user to share it with.")
    role: models.ShareRole = described("What the user may do.", default=models.ShareRole.USER)


@strawberry.input(description="A share to take back.")
class UnshareAgentInput:
    agent_id: UUID = described("The agent.")
    user_id: str = described("The user it was shared with.")


@strawberry.input(description="An agent to give to another user.")
class TransferAgentInput:
    id: UUID = described("The agent.")
    user_id: str = described("The new owner.")
    keep_access: bool = described(KEEP_ACCESS, default=False)


@strawberry.input(description="A user whose agents another one is to get.")
class TransferAgentsInput:
    from_user_id: str = described("Who owns them now.")
    user_id: str = described("The new owner.")
    keep_access: bool = described(KEEP_ACCESS, default=False)


@strawberry.type(description="Agents that have a new owner.")
class TransferredAgents:
    ids: list[UUID] = described("Which; oldest first.")


@dataclass(frozen=True, slots=True)
class Transferred:
    """The row behind TransferredAgents."""

    ids: list[UUID]


@strawberry.type
class AgentQuery:
    @field(Connection[Agent], "Agents the caller may use, newest first.")
    async def agents(
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        search: Search = None,
    ) -> Listed:
        page = await list_agents(info.context, page_request(first, after), search)
        return listed(page, lambda: count_agents(info.context, search))

    @field(Agent, "One agent, by its id or its key.")
    async def agent(
        self,
        info: Info,
        id: Annotated[UUID | None, argument("Its id.")] = None,
        key: Annotated[str | None, argument("Its key, in place of its id.")] = None,
    ) -> models.AgentView:
        if (id is None) == (key is None):
            raise InvalidInput("invalid_input", field="id", reason=Reason("id_or_key"))
        return await get_agent(info.context, id or key or "")


@strawberry.type
class AgentMutation:
    @mutation(Agent, "Adds an agent that belongs to the caller.")
    async def create_agent(self, info: Info, input: In[CreateAgentInput]) -> models.AgentView:
        return await create_agent(info.context, parse(models.AgentCreate, input))

    @mutation(Agent, "Changes an agent.")
    async def update_agent(self, info: Info, input: In[UpdateAgentInput]) -> models.AgentView:
        return await update_agent(info.context, input.id, parse(models.AgentPatch, input))

    @mutation(Deleted, "Deletes an agent. Its sessions and traces stay, its key is free again.")
    async def delete_agent(self, info: Info, input: In[DeleteAgentInput]) -> Gone:
        return Gone(await delete_agent(info.context, input.id))

    @mutation(AgentShare, "Shares an agent with another user, or changes the share there is.")
    async def share_agent(self, info: Info, input: In[ShareAgentInput]) -> models.AgentShare:
        share = parse(models.ShareCreate, input)
        return await share_agent(info.context, input.agent_id, share)

    @mutation(Agent, "Gives an agent to another user. Shares with others stay.")
    async def transfer_agent(self, info: Info, input: In[TransferAgentInput]) -> models.AgentView:
        data = parse(models.AgentTransfer, input)
        return await transfer_agent(info.context, input.id, data)

    @mutation(TransferredAgents, "Gives all agents of a user to another one.")
    async def transfer_agents(self, info: Info, input: In[TransferAgentsInput]) -> Transferred:
        data = parse(models.AgentTransfer, input)
        return Transferred(await transfer_agents(info.context, input.from_user_id, data))

    @mutation(Deleted, "Takes a share back.")
    async def unshare_agent(self, info: Info, input: In[UnshareAgentInput]) -> Gone:
        return Gone(await unshare_agent(info.context, input.agent_id, input.user_id))
