from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.paging import page_request
from goclaw.models import delegations as models
from goclaw.models.agents import AgentView
from goclaw.models.runs import RunView
from goclaw.resolvers.agent_links import (
    count_agent_links,
    create_agent_link,
    delete_agent_link,
    get_agent_link,
    list_agent_links,
    update_agent_link,
)
from goclaw.resolvers.delegations import (
    count_delegations,
    get_delegation,
    list_child_delegations,
    list_delegations,
)
from goclaw.resolvers.runs import get_run
from goclaw.schema.agents import Agent
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field, input_of, mutation, parse
from goclaw.schema.info import Info, or_none
from goclaw.schema.runs import Run
from goclaw.schema.traces import agent_or_none
from goclaw.schema.words import Deleted, Gone, Id, In

WORDS = {
    "source_agent_id": "The agent that asks, unless the direction says otherwise.",
    "target_agent_id": "The agent that is asked, unless the direction says otherwise.",
    "direction": "Which of the two may ask the other.",
    "description": "What the other one is good for; the agent that asks reads it.",
    "max_concurrent": "How many tasks may go over it at once, 1 to 20.",
    "status": "Whether it may be used.",
    "allow_users": "The users it may be used for; null is everybody.",
    "deny_users": "Users it may not be used for in any case.",
}


@strawberry.type(description="A task that one agent gave another, or a copy of itself.")
class Delegation:
    id: UUID = described("Its id.")
    kind: models.DelegationKind = described("Whether a copy or another agent works on it.")
    mode: models.DelegationMode = described("Whether the run that gave it waits for it.")
    status: models.DelegationStatus = described("Where it stands.")
    source_agent_id: UUID = described("The id of the agent that gave it.")
    target_agent_id: UUID = described("The id of the agent that works on it.")
    source_agent_key: str | None = described("The key of the agent that gave it.")
    target_agent_key: str | None = described("The key of the agent that works on it.")
    user_id: str = described("In whose name.")
    parent_id: UUID | None = described("The task it came of; null where somebody had asked.")
    parent_run_id: UUID = described("The id of the run that gave it.")
    run_id: UUID = described("The id of the run that works on it.")
    trace_id: UUID | None = described("The id of that run's trace, once it has ended.")
    label: str = described("What it is called.")
    task: str = described("What is to be done; empty where contents are not stored.")
    result: str | None = described("What came of it.")
    error_code: str | None = described("Why it failed, as a code.")
    error: str | None = described("Why it failed, in words.")
    iterations: int = described("How often the model answered.")
    input_tokens: int = described("Tokens read, cached ones included.")
    output_tokens: int = described("Tokens written.")
    cost_usd: Decimal | None = described("Its price in US dollars; null when none is known.")
    duration_ms: int | None = described("How long it took, in milliseconds.")
    created_at: datetime = described("When it was given.")
    updated_at: datetime = described("When it was changed last.")
    completed_at: datetime | None = described("When it ended.")

    @field(Agent | None, "The agent that gave it; null when it is not there for the caller.")
    async def source_agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.source_agent_id)

    @field(Agent | None, "The agent that works on it; null when it is not there for the caller.")
    async def target_agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.target_agent_id)

    @field(Run | None, "The run that gave it; null when it is no longer kept.")
    async def parent_run(self, info: Info) -> RunView | None:
        return await or_none(get_run(info.context, self.parent_run_id))

    @field(Run | None, "The run that works on it; null before it is there, or kept no longer.")
    async def run(self, info: Info) -> RunView | None:
        return await or_none(get_run(info.context, self.run_id))

    @field(list["Delegation"], "Tasks that came of it, in the order they were given.")
    async def children(self, info: Info) -> list[models.DelegationView]:
        return await list_child_delegations(info.context, self.id)


@strawberry.type(description="Which of two agents may give the other tasks.")
class AgentLink:
    id: UUID = described("Its id.")
    source_agent_id: UUID = described(WORDS["source_agent_id"])
    target_agent_id: UUID = described(WORDS["target_agent_id"])
    direction: models.LinkDirection = described(WORDS["direction"])
    description: str | None = described(WORDS["description"])
    max_concurrent: int = described(WORDS["max_concurrent"])
    status: models.LinkStatus = described(WORDS["status"])
    allow_users: list[str] | None = described(WORDS["allow_users"])
    deny_users: list[str] = described(WORDS["deny_users"])
    created_by: str = described("Who made it.")
    created_at: datetime = described("When it was made.")
    updated_at: datetime = described("When it was changed last.")

    @field(Agent | None, "The agent at its beginning; null when it is not there for the caller.")
    async def source_agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.source_agent_id)

    @field(Agent | None, "The agent at its end; null when it is not there for the caller.")
    async def target_agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.target_agent_id)


@input_of(models.AgentLinkCreate, WORDS, "A new link between two agents.")
class CreateAgentLinkInput: ...


@input_of(models.AgentLinkPatch, WORDS, "Changes to a link: what is absent stays, null clears.")
class UpdateAgentLinkInput:
    id: UUID = described("The link to change.")


@strawberry.input(description="The link to delete.")
class DeleteAgentLinkInput:
    id: UUID = described("Its id.")


FromAgent = Annotated[UUID | None, argument("Only those that this agent gave.")]
ToAgent = Annotated[UUID | None, argument("Only those that this agent works on.")]
OfRun = Annotated[UUID | None, argument("Only those that this run gave.")]
OfUser = Annotated[str | None, argument("Only those in this user's name.")]
WithStatus = Annotated[models.DelegationStatus | None, argument("Only those that stand so.")]
AtAgent = Annotated[UUID | None, argument("Only those of this agent, at either end.")]


@strawberry.type
class DelegationQuery:
    @field(Delegation, "One task that an agent gave.")
    async def delegation(self, info: Info, id: Id) -> models.DelegationView:
        return await get_delegation(info.context, id)

    @field(Connection[Delegation], "Tasks that agents gave in the caller's name, newest first.")
    async def delegations(
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        source_agent_id: FromAgent = None,
        target_agent_id: ToAgent = None,
        parent_run_id: OfRun = None,
        user_id: OfUser = None,
        status: WithStatus = None,
    ) -> Listed:
        wanted = (source_agent_id, target_agent_id, user_id, status, parent_run_id)
        page = await list_delegations(info.context, page_request(first, after), *wanted)
        return listed(page, lambda: count_delegations(info.context, *wanted))

    @field(AgentLink, "One link between agents.")
    async def agent_link(self, info: Info, id: Id) -> models.AgentLink:
        return await get_agent_link(info.context, id)

    @field(Connection[AgentLink], "Links between agents that the caller may see, newest first.")
    async def agent_links(
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        agent_id: AtAgent = None,
    ) -> Listed:
        page = await list_agent_links(info.context, page_request(first, after), agent_id)
        return listed(page, lambda: count_agent_links(info.context, agent_id))


@strawberry.type
class DelegationMutation:
    @mutation(AgentLink, "Lets agents give one another tasks.")
    async def create_agent_link(
        self, info: Info, input: In[CreateAgentLinkInput]
    ) -> models.AgentLink:
        return await create_agent_link(info.context, parse(models.AgentLinkCreate, input))

    @mutation(AgentLink, "Changes a link between agents.")
    async def update_agent_link(
        self, info: Info, input: In[UpdateAgentLinkInput]
    ) -> models.AgentLink:
        changes = parse(models.AgentLinkPatch, input)
        return await update_agent_link(info.context, input.id, changes)

    @mutation(Deleted, "Deletes a link between agents; tasks under way go on.")
    async def delete_agent_link(self, info: Info, input: In[DeleteAgentLinkInput]) -> Gone:
        return Gone(await delete_agent_link(info.context, input.id))
