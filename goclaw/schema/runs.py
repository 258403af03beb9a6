from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
from graphql import GraphQLResolveInfo

from goclaw.core.paging import page_request
from goclaw.models import run_events as rows
from goclaw.models import runs as models
from goclaw.models.agents import AgentView
from goclaw.models.chat import SendMessage, Wake
from goclaw.models.chat import WakeResult as WakeRow
from goclaw.models.sessions import Session as SessionRow
from goclaw.models.traces import TraceView
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import cancel_run, count_runs, get_run, list_runs, send_message
from goclaw.resolvers.sessions import get_session
from goclaw.resolvers.traces import get_trace
from goclaw.resolvers.wakes import wake_agent
from goclaw.schema.agents import Agent
from goclaw.schema.api_keys import IDEMPOTENCY
from goclaw.schema.connection import DEFAULT_FIRST, After, Connection, First, Listed, listed
from goclaw.schema.field import argument, described, field, mutation, parse, subscription
from goclaw.schema.info import Info, or_none, with_key
from goclaw.schema.sessions import Message, OfAgent, Session
from goclaw.schema.traces import InStatus, OfSession, Trace, agent_or_none
from goclaw.schema.words import Id, In


@strawberry.type(description="One answer of one agent, from the question to the last word.")
class Run:
    id: UUID = described("Its id.")
    session_id: UUID | None = described("The session's id; null once that was deleted.")
    trace_id: UUID = described("The id of its trace.")
    agent_id: strawberry.Private[UUID]
    user_id: str = described("Who asked.")
    channel: str = described("Where it was asked: `http`, `web`, `wake` or a channel.")
    status: models.RunStatus = described("Where it stands.")
    model: str = described("The model that answers.")
    provider_name: str = described("The provider that has the model.")
    input_tokens: int = described("Tokens read, cached ones included.")
    output_tokens: int = described("Tokens written.")
    cached_tokens: int = described("Tokens read from the vendor's cache.")
    cost_usd: Decimal | None = described("Its price in US dollars; null when none is known.")
    error_code: str | None = described("Why it failed, as a code.")
    error_message: str | None = described("Why it failed, in words.")
    started_at: datetime = described("When it began.")
    ended_at: datetime | None = described("When it ended.")

    inbox: strawberry.Private[Any]  # of the row alone, as what it holds is told as events

    @field(bool, "Whether its user may say more while it goes on: it has tools, and steps to come.")
    def takes_more(self) -> bool:
        return self.status == models.RunStatus.RUNNING and self.inbox is not None

    @field(Agent | None, "The agent; null when it was deleted or is no longer shared.")
    async def agent(self, info: Info) -> AgentView | None:
        return await agent_or_none(info, self.agent_id)

    @field(Session | None, "The session; null once it was deleted.")
    async def session(self, info: Info) -> SessionRow | None:
        if self.session_id is None:
            return None
        return await or_none(get_session(info.context, self.session_id))

    @field(Trace | None, "Its trace, from 0.1 s after its end on.")
    async def trace(self, info: Info) -> TraceView | None:
        return await or_none(get_trace(info.context, self.trace_id))


@strawberry.type(description="The answer to a wake.")
class WakeResult:
    content: str = described("What the agent said.")
    run_id: strawberry.Private[UUID]

    @field(Run, "The run that answered.")
    async def run(self, info: Info) -> models.RunView:
        return await get_run(info.context, self.run_id)


WHERE = "The place of it in the event log."


def window_on(row: type) -> Any:
    """Tells the members of a union apart by the rows behind them."""

    def is_type_of(value: object, _: "GraphQLResolveInfo[Any]") -> bool:
        return isinstance(value, row)

    return is_type_of


@strawberry.type(description="The run is there.")
class RunStarted:
    is_type_of = window_on(rows.RunStarted)

    cursor: str = described("Give it as `after` to leave this out when following again.")
    run: Run = described("The run.")


@strawberry.type(description="A piece of the answer.")
class RunText:
    is_type_of = window_on(rows.RunText)

    offset: int = described("How many characters come before it; 0 begins the answer anew.")
    text: str = described("What comes next.")


@strawberry.type(description="A piece of what the model thinks before it says or does something.")
class RunThinking:
    is_type_of = window_on(rows.RunThinking)

    offset: int = described(
        "How many characters of thinking come before it since the model was last asked; 0 begins "
        "it anew. What it thought before a call of a tool is then stored with its message."
    )
    text: str = described("What comes next.")
    answer_offset: int = described("How many characters of the answer come before it.")


@strawberry.type(description="The model wants something done.")
class RunToolCall:
    is_type_of = window_on(rows.RunToolCall)

    cursor: str = described(WHERE)
    call_id: str = described("Tells it from other calls of the run; its result has the same.")
    name: str = described("The tool.")
    arguments: str = described("With what, as JSON text; 1,000 characters of it at most.")
    offset: int = described("How many characters of the answer come before it.")


@strawberry.type(description="What came of a tool call.")
class RunToolResult:
    is_type_of = window_on(rows.RunToolResult)

    cursor: str = described(WHERE)
    call_id: str = described("The call.")
    name: str | None = described("The tool.")
    is_error: bool = described("Whether it failed; the model decides what to do about it.")
    text: str = described("What the model is told, 1,000 characters of it at most.")
    duration_ms: int | None = described("How long it took, in milliseconds.")


@strawberry.type(description="The user said something while the run was busy.")
class RunInjected:
    is_type_of = window_on(rows.RunInjected)

    cursor: str = described(WHERE)
    text: str = described("What was said, 1,000 characters of it at most.")


@strawberry.type(
    description="A model call failed and is made once more. Told while it happens; afterwards the "
    "trace has it."
)
class RunRetrying:
    is_type_of = window_on(rows.RunRetrying)

    cursor: str = described(WHERE)
    provider: str = described("The provider that is asked next.")
    model: str = described("The model that is asked next.")
    attempt: int = described("Which call of that provider it is.")
    max_attempts: int = described("How many there are at most.")
    error_code: str = described("Why the call before failed, as a code.")
    wait_ms: int = described("How long is waited before, in milliseconds.")


@strawberry.type(description="The run is over.")
class RunEnded:
    is_type_of = window_on(rows.RunEnded)

    cursor: str = described("The place of the end in the event log.")
    run: Run = described("The run, with its figures.")
    message: Message | None = described("The answer, if there was one.")


RunEvent = Annotated[
    RunStarted
    | RunText
    | RunThinking
    | RunToolCall
    | RunToolResult
    | RunInjected
    | RunRetrying
    | RunEnded,
    strawberry.union("RunEvent", description="What happens to a run."),
]


@strawberry.input(
    description="What a user says: in a session, or to an agent in a new one. "
    "With neither, the default agent is spoken to."
)
class SendMessageInput:
    session_id: UUID | None = described("The session to go on with.", default=strawberry.UNSET)
    agent_id: UUID | None = described("The agent to begin with.", default=strawberry.UNSET)
    text: str = described("What is said, 1 to 1,000,000 characters.")
    idempotency_key: str | None = described(IDEMPOTENCY, default=None)


@strawberry.input(description="The run to stop.")
class CancelRunInput:
    run_id: UUID = described("Its id.")


@strawberry.input(description="What an agent is woken with.")
class WakeAgentInput:
    agent_id: UUID = described("The agent.")
    message: str = described("What it is told, 1 to 1,000,000 characters.")
    session_key: str | None = described(
        "A session of the caller to go on with, or the name of a new one.",
        default=strawberry.UNSET,
    )
    idempotency_key: str | None = described(IDEMPOTENCY, default=None)


@strawberry.type
class RunQuery:
    @field(Connection[Run], "Runs of the caller, newest first.")
    async def runs(
        self,
        info: Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        agent_id: OfAgent = None,
        session_id: OfSession = None,
        status: InStatus = None,
    ) -> Listed:
        wanted = (agent_id, session_id, status)
        page = await list_runs(info.context, page_request(first, after), *wanted)
        return listed(page, lambda: count_runs(info.context, *wanted))

    @field(Run, "One run.")
    async def run(self, info: Info, id: Id) -> models.RunView:
        return await get_run(info.context, id)


@strawberry.type
class RunMutation:
    @mutation(
        Run,
        "Says something. Gives the run at once; follow it with `runEvents`. A session that is "
        "answering gives the run that answers, which takes what is said before its next step.",
    )
    async def send_message(self, info: Info, input: In[SendMessageInput]) -> models.RunView:
        ctx = with_key(info.context, input.idempotency_key)
        return await send_message(ctx, parse(SendMessage, input))

    @mutation(Run, "Stops a run; one that has ended stays as it is.")
    async def cancel_run(self, info: Info, input: In[CancelRunInput]) -> models.RunView:
        return await cancel_run(info.context, input.run_id)

    @mutation(WakeResult, "Wakes an agent and waits for its answer.")
    async def wake_agent(self, info: Info, input: In[WakeAgentInput]) -> WakeRow:
        ctx = with_key(info.context, input.idempotency_key)
        return await wake_agent(ctx, input.agent_id, parse(Wake, input))


@strawberry.type
class RunSubscription:
    @subscription(
        RunEvent,
        "One run: what it did and said so far, then what it does and says, then how it ended. "
        "Completes after the end.",
    )
    def run_events(
        self,
        info: Info,
        run_id: Annotated[UUID, argument("The run to follow.")],
        after: Annotated[str | None, argument("The last cursor of an earlier look.")] = None,
    ) -> AsyncIterator[rows.RunEvent]:
        return watch_run(info.context, run_id, after)
