"""Records as this interface has always called their fields, where the views call them otherwise."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from goclaw.models.agents import AgentView, ShareRole
from goclaw.models.delegations import DelegationView
from goclaw.models.providers import ProviderView
from goclaw.models.runs import RunView
from goclaw.models.shapes import View
from goclaw.models.traces import SpanView, TraceView
from goclaw.rest_compat.views import From, unix_time

MASK = "***"


def masked(there_is_one: bool) -> str | None:
    return MASK if there_is_one else None


def known_or_zero(cost_usd: Decimal | None) -> float:
    return 0.0 if cost_usd is None else float(cost_usd)


class AgentRecord(AgentView):
    """`name` and `agent_key` are the same; `provider` is the provider's name."""

    HIDDEN: ClassVar = frozenset({"key", "provider_id"})

    agent_key: Annotated[str, From("key")]
    name: Annotated[str, From("key")]


class ShareRecord(View):
    id: UUID
    agent_id: UUID
    user_id: str
    role: ShareRole
    granted_by: str
    created_at: datetime
    updated_at: datetime


class ProviderRecord(ProviderView):
    """`api_key` is `***` where there is one."""

    api_key: Annotated[str | None, From("has_api_key", masked)]


class ModelRecord(View):
    """An agent as OpenAI lists models."""

    id: Annotated[str, From("key")]
    object: Literal["model"] = "model"
    created: Annotated[int, From("created_at", unix_time)]
    owned_by: Annotated[str, From("owner_id")]


class StartedRun(RunView):
    run_id: Annotated[UUID, From("id")]


class TraceRecord(TraceView):
    """`total_cost` is in US dollars, 0 where no price is known: `total_cost_usd` is null then."""

    total_cost: Annotated[float, From("total_cost_usd", known_or_zero)]


class SpanRecord(SpanView):
    """`cost_usd` is null where no price is known."""


def team(_: object) -> UUID | None:
    """No task is a team's."""
    return None


class DelegationRecord(DelegationView):
    """Teams are always null."""

    team_id: Annotated[UUID | None, From("id", team)]
    team_task_id: Annotated[UUID | None, From("id", team)]


class FunctionCalled(BaseModel):
    name: str
    arguments: str


class ToolCalled(BaseModel):
    id: str
    type: Literal["function"]
    function: FunctionCalled


class AnswerMessage(BaseModel):
    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    reasoning_content: str = Field(default="", description="What the model thought, if it tells.")
    tool_calls: list[ToolCalled] = Field(default_factory=list)


class Choice(BaseModel):
    index: int
    message: AnswerMessage
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]


class ChatUsage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """An answer in OpenAI's format."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: ChatUsage
