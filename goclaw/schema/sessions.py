from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from goclaw.core.paging import id_of, page_request
from goclaw.models import sessions as models
from goclaw.models.agents import AgentView
from goclaw.models.runs import RunView
from goclaw.resolvers.agents import get_agent
from goclaw.resolvers.runs import active_run
from goclaw.resolvers.sessions import (
    count_messages,
    count_sessions,
    delete_session,
    export_session,
    get_session,
    list_messages,
    list_sessions,
    update_session,
)
from goclaw.schema.agents import Agent
from goclaw.schema.connection import (
    DEFAULT_FIRST,
    DEFAULT_MESSAGES,
    After,
    Before,
    Connection,
    First,
    Listed,
    listed,
    listed_oldest_first,
)
from goclaw.schema.field import argument, described, field, mutation, parse
from goclaw.schema.info import Info, or_none
from goclaw.schema.scalars import JSON
from goclaw.schema.words import Deleted, Gone, Id, In

if TYPE_CHECKING:
    from goclaw.schema.runs import Run

LazyRun = Annotated["Run", strawberry.lazy("goclaw.schema.runs")]
OfAgent = Annotated[UUID | None, argument("Only those of this agent.")]
WithTasks = Annotated[
    bool, argument("Also those in which agents carry out tasks that other runs gave them.")
]


@strawberry.type(description="What was said in a session.")
class Message:
    id: UUID = described("Its id.")
    seq: int = described("Its place in the session, from 1.")
    role: models.MessageRole = described("Who speaks.")
    name: str | None = described("The name the client gave to who speaks.")
    content: str = described("Its text.")
    parts: JSON | None = described(
        "Text and images of a message that is more than text; an image as its hash and size."
    )
    tool_calls: JSON | None = described("The tools the agent asked for.")
    tool_call_id: str | None = described("The call a tool's result belongs to.")
    is_error: bool = described("Whether it is the result of a tool call that failed.")
    run_id: UUID | None = described("The run that wrote it.")
    created_at: datetime = described("When it was written.")
    thoughts: strawberry.Private[list[dict[str, Any]] | None]

    @field(str | None, "What the agent thought before it spoke, where that is kept.")
    def thinking(self) -> str | None:
        return models.thinking_of(self.thoughts)


@strawberry.type(description="One conversation of one user with one agent.")
class Session:
    id: UUID = described("Its id.")
    key: str = described("Its name for programs, unique for agent and user.")
    agent_id: strawberry.Private[UUID]
    lease_run_id: strawberry.Private[UUID | None]
    user_id: str = described("Who speaks with the agent.")
    channel: str = described("Where it began: `http`, `web`, `wake` or a channel.")
    label: str | None = described("The name shown to people.")
    message_count: int = described("How many messages it has.")
    input_tokens: int = described("Tokens read by the model so far.")
    output_tokens: int = described("Tokens written by the model so far.")
    created_at: datetime = described("When it began.")
    updated_at: datetime = described("When it was spoken in or changed last.")

    @field(Agent | None, "The agent; null when it was deleted or is no longer shared.")
    async def agent(self, info: Info) -> AgentView | None:
        return await or_none(get_agent(info.context, self.agent_id))

    @field(
        Connection[Message],
        "Its messages, oldest first: the last ones, or those before a cursor. "
        "`hasNextPage` says that older ones are left.",
    )
    async def messages(
        self, info: Info, first: First = DEFAULT_MESSAGES, before: Before = None
    ) -> Listed:
        page = page_request(first, None)
        if before is not None:
            page = replace(page, before=id_of(before, "before"))
        rows = await list_messages(info.context, self.id, page)
        return listed_oldest_first(rows, lambda: count_messages(info.context, self.id))

    @field(LazyRun | None, "The run that is answering now.")
    async def active_run(self, info: Info) -> RunView | None:
        if self.lease_run_id is None:
            return None
        return await active_run(info.context, self.lease_run_id)


@strawberry.input(description="A new name for a session.")
class RenameSessionInput:
    id: UUID = described("The session.")
    label: str = described("The name shown to people, 1 to 500 characters.")


@strawberry.input(description="The session to delete.")
class DeleteSessionInput:
    id: UUID = described("Its id.")


@strawberry.type
class SessionQuery:
    @field(Connection[Session], "The caller's sessions, newest first.")
    async def sessions(
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        agent_id: OfAgent = None,
        with_tasks: WithTasks = True,
    ) -> Listed:
        page = await list_sessions(
            info.context, page_request(first, after), agent_id, with_tasks=with_tasks
        )
        return listed(page, lambda: count_sessions(info.context, agent_id, with_tasks=with_tasks))

    @field(Session, "One session.")
    async def session(self, info: Info, id: Id) -> models.Session:
        return await get_session(info.context, id)

    @field(JSON, "A session and its last 10,000 messages, oldest first, to be kept as a file.")
    async def session_export(self, info: Info, id: Id) -> object:
        return await export_session(info.context, id)


@strawberry.type
class SessionMutation:
    @mutation(Session, "Gives a session another name.")
    async def rename_session(self, info: Info, input: In[RenameSessionInput]) -> models.Session:
        changes = parse(models.SessionPatch, input)
        return await update_session(info.context, input.id, changes)

    @mutation(Deleted, "Deletes a session and its messages; its traces stay.")
    async def delete_session(self, info: Info, input: In[DeleteSessionInput]) -> Gone:
        return Gone(await delete_session(info.context, input.id))
