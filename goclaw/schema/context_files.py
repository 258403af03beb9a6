from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.core.context_files import MAX_FILE_CHARS, NAMES
from goclaw.core.paging import page_request
from goclaw.models import context_files as models
from goclaw.resolvers.agent_instances import (
    count_agent_instances,
    get_agent_instance,
    list_agent_instances,
    list_instance_files,
    set_instance_file,
    update_agent_instance,
)
from goclaw.resolvers.context_files import list_context_files, set_context_file
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field, input_of, mutation, parse
from goclaw.schema.info import Info
from goclaw.schema.scalars import JSON
from goclaw.schema.words import Id, In

WORDS = {
    "name": f"One of {', '.join(NAMES)}.",
    "content": f"All of it, {MAX_FILE_CHARS} characters at most; empty, the file is removed.",
    "user_id": "The user.",
    "metadata": "Texts by name, added to those there are; null takes one away.",
}

OfAgent = Annotated[UUID, argument("The agent.")]


@strawberry.type(description="A text that goes into an agent's prompt.")
class ContextFile:
    id: UUID = described("Its id.")
    content: str = described("All of it.")
    updated_at: datetime = described("When it was changed last.")
    file_name: strawberry.Private[str]

    @field(str, WORDS["name"])
    async def name(self) -> str:
        return self.file_name

    @field(int, "How many characters it has.")
    async def characters(self) -> int:
        return len(self.content)


@strawberry.type(description="A user whom an agent with context files has met.")
class AgentInstance:
    id: UUID = described("Its id.")
    agent_id: UUID = described("The agent.")
    user_id: str = described(WORDS["user_id"])
    first_seen_at: datetime = described("When the agent met the user.")
    last_seen_at: datetime = described("When the user was there last, to the minute.")
    file_count: int = described("How many files there are for the user.")
    metadata: JSON = described("Texts about the user, by name, that other programs keep.")

    @field(list[ContextFile], "The files there are for the user, by name.")
    async def files(self, info: Info) -> list[models.UserContextFile]:
        return await list_instance_files(info.context, self.id)


@input_of(models.ContextFileWrite, WORDS, "A context file of an agent to write.")
class SetContextFileInput:
    agent_id: UUID = described("The agent.")


@input_of(models.InstanceFileWrite, WORDS, "What USER.md of a user of an agent is to hold.")
class SetInstanceFileInput:
    agent_id: UUID = described("The agent.")


@input_of(models.InstanceFacts, WORDS, "What is known of a user of an agent.")
class UpdateAgentInstanceInput:
    agent_id: UUID = described("The agent.")


@strawberry.type
class ContextFileQuery:
    @field(list[ContextFile], "An agent's own context files, for whoever may change it.")
    async def context_files(
        self, info: Info, agent_id: OfAgent
    ) -> Sequence[models.AgentContextFile]:
        return await list_context_files(info.context, agent_id)

    @field(
        Connection[AgentInstance],
        "Users an agent has met, the latest first: all for whoever may change it, else oneself.",
    )
    async def agent_instances(
        self, info: Info, agent_id: OfAgent, first: First = DEFAULT_FIRST, after: After = None
    ) -> Listed:
        page = await list_agent_instances(info.context, page_request(first, after), agent_id)
        return listed(page, lambda: count_agent_instances(info.context, agent_id))

    @field(AgentInstance, "One user whom an agent has met.")
    async def agent_instance(self, info: Info, id: Id) -> models.AgentInstanceView:
        return await get_agent_instance(info.context, id)


@strawberry.type
class ContextFileMutation:
    @mutation(ContextFile, "Writes a context file of an agent.")
    async def set_context_file(
        self, info: Info, input: In[SetContextFileInput]
    ) -> models.AgentContextFile:
        data = parse(models.ContextFileWrite, input)
        return await set_context_file(info.context, input.agent_id, data)

    @mutation(ContextFile, "Writes what an agent knows about a user.")
    async def set_instance_file(
        self, info: Info, input: In[SetInstanceFileInput]
    ) -> models.UserContextFile:
        data = parse(models.InstanceFileWrite, input)
        return await set_instance_file(info.context, input.agent_id, data)

    @mutation(AgentInstance, "Changes what other programs keep about a user of an agent.")
    async def update_agent_instance(
        self, info: Info, input: In[UpdateAgentInstanceInput]
    ) -> models.AgentInstanceView:
        data = parse(models.InstanceFacts, input)
        return await update_agent_instance(info.context, input.agent_id, data)
