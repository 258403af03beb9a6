"""The tools that have others work: copies of the agent itself, and agents it is linked to."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from goclaw.tools.external import marked
from goclaw.tools.tool import Tool, ToolContext, ToolResult

SPAWN: Final = "spawn"
DELEGATE: Final = "delegate"
GIVING: Final = frozenset({SPAWN, DELEGATE})
MAX_TASK_CHARS: Final = 32_000
TIMEOUT_S: Final = 900
"""For a task that is waited for; the run has a limit of its own besides."""

Json = dict[str, Any]


class SpawnArguments(BaseModel):
    action: Literal["spawn", "list", "cancel", "steer"] = Field(
        default="spawn",
        description="steer stops a sub-agent and begins anew with another task.",
    )
    task: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_TASK_CHARS,
        description="For spawn and steer: all that the sub-agent has to know; it sees nothing of "
        "this conversation.",
    )
    label: str | None = Field(default=None, min_length=1, max_length=100)
    mode: Literal["async", "sync"] = Field(
        default="async",
        description="sync waits for the result; after async you are told it later.",
    )
    model: str | None = Field(default=None, min_length=1, max_length=200)
    id: UUID | Literal["all"] | None = Field(
        default=None, description="For cancel and steer: the task, or all."
    )


class DelegateArguments(BaseModel):
    action: Literal["ask", "list"] = Field(
        default="ask", description="list tells which agents can be asked, and for what."
    )
    agent: str | None = Field(
        default=None, min_length=1, max_length=100, description="For ask: its key."
    )
    task: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_TASK_CHARS,
        description="For ask: all that it has to know; it sees nothing of this conversation.",
    )
    label: str | None = Field(default=None, min_length=1, max_length=100)
    mode: Literal["sync", "async"] = Field(
        default="sync",
        description="sync waits for the result; after async you are told it later.",
    )


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, and whether it is waited for. `agent` is None for a copy of oneself."""

    task: str
    waits: bool
    label: str | None = None
    model: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """`text` is the result, or why there is none."""

    id: UUID
    label: str
    agent: str
    status: str
    text: str | None


class Workforce(Protocol):
    """All of it as the user of the context. Raises GatewayError."""

    async def give(self, ctx: ToolContext, order: Order) -> Task:
        """The task as it has ended, or as it has begun."""
        ...

    async def tasks(self, ctx: ToolContext) -> Sequence[Task]:
        """Those that the agent gave, those at work first."""
        ...

    async def cancel(self, ctx: ToolContext, id: UUID | None) -> int:
        """One, or all that are at work; tells how many."""
        ...

    async def again(self, ctx: ToolContext, id: UUID, task: str) -> Task:
        """Stops one and begins it anew."""
        ...

    async def colleagues(self, ctx: ToolContext) -> Sequence[Json]:
        """Agents that may be asked: key, name, and what for."""
        ...


class DelegationTools:
    def __init__(self, workforce: Workforce) -> None:
        self._workforce = workforce

    def tools(self) -> list[Tool]:
        return [
            Tool(
                SPAWN,
                "Has a copy of you work on a task of its own; several may work at once. "
                "Also lists, stops and redirects them.",
                "subagents",
                SpawnArguments,
                self.spawn,
                timeout_s=TIMEOUT_S,
            ),
            Tool(
                DELEGATE,
                "Asks another agent to carry out a task and gives its result.",
                "delegation",
                DelegateArguments,
                self.delegate,
                timeout_s=TIMEOUT_S,
                helps=attrgetter("may_ask"),
            ),
        ]

    async def spawn(self, ctx: ToolContext, wanted: SpawnArguments) -> ToolResult:
        if wanted.action == "list":
            return _json({"tasks": [_told(task) for task in await self._workforce.tasks(ctx)]})
        if wanted.action == "cancel":
            if wanted.id is None:
                return ToolResult("cancel needs an id, or all.", is_error=True)
            id = None if wanted.id == "all" else wanted.id
            return _json({"cancelled": await self._workforce.cancel(ctx, id)})
        if wanted.task is None:
            return ToolResult(f"{wanted.action} needs a task.", is_error=True)
        if wanted.action == "steer":
            if not isinstance(wanted.id, UUID):
                return ToolResult("steer needs the id of one task.", is_error=True)
            return _result(await self._workforce.again(ctx, wanted.id, wanted.task))
        order = Order(wanted.task, wanted.mode == "sync", wanted.label, wanted.model)
        return _result(await self._workforce.give(ctx, order))

    async def delegate(self, ctx: ToolContext, wanted: DelegateArguments) -> ToolResult:
        if wanted.action == "list":
            return _json({"agents": list(await self._workforce.colleagues(ctx))})
        if wanted.agent is None or wanted.task is None:
            return ToolResult("ask needs an agent and a task.", is_error=True)
        order = Order(wanted.task, wanted.mode == "sync", wanted.label, agent=wanted.agent)
        return _result(await self._workforce.give(ctx, order))


def _result(task: Task) -> ToolResult:
    if task.status == "running":
        told = {"id": task.id, "status": "accepted", "note": "You are told the result later."}
        return _json(told)
    if task.status == "completed":
        # It may have read what strangers wrote.
        return ToolResult(marked(task.text) if task.text else "(It ended without a word.)")
    return ToolResult(f"The task {task.status}: {task.text or 'no reason is known'}", is_error=True)


def _told(task: Task) -> Json:
    told = {"id": task.id, "label": task.label, "agent": task.agent, "status": task.status}
    return told if task.text is None else {**told, "result": task.text}


def _json(value: Json) -> ToolResult:
    return ToolResult(orjson.dumps(value, default=str).decode())
