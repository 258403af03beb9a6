"""The tool for cron jobs: the user's own with this agent, and no more than that user may do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from goclaw.tools.sessions import SENT_BY_TOOL
from goclaw.tools.tool import Tool, ToolContext, ToolResult

CATEGORY: Final = "automation"
CRON: Final = "cron"
"""The channel of runs that cron jobs begin."""
BEGUN_BY_NOBODY: Final = frozenset({CRON, SENT_BY_TOOL, "subagent", "delegate", "announce"})
"""Channels of runs that no person began: were they to make or run jobs, they might do so for
ever.
"""
SCHEDULES: Final = {"at": "run_at", "every_s": "every_s", "cron": "expression"}
"""The name of the field of a job, by the argument that says when."""
PLAIN: Final = ("name", "message", "timezone", "enabled", "delete_after_run")

Json = dict[str, Any]


class CronArguments(BaseModel):
    action: Literal["list", "add", "update", "remove", "run", "runs"] = Field(
        description="runs tells what came of a job so far."
    )
    job_id: UUID | None = Field(default=None, description="For update, remove, run and runs.")
    name: str | None = Field(default=None, description="For add: up to 100 characters.")
    message: str | None = Field(default=None, description="For add: what you will be asked then.")
    at: datetime | None = Field(
        default=None,
        description="When, once, with offset: 2026-01-31T08:00:00+01:00. "
        "Give one of at, every_s and cron.",
    )
    every_s: int | None = Field(default=None, description="Every so many seconds; 60 at least.")
    cron: str | None = Field(default=None, description="Minute hour day month weekday.")
    timezone: str | None = Field(
        default=None, description="IANA zone that cron is read in, as Europe/Berlin; else UTC."
    )
    where: Literal["here", "own", "new"] | None = Field(
        default=None,
        description="Where you answer then: in this conversation (default), in one of the job's "
        "own, or in a new one each time.",
    )
    enabled: bool | None = Field(default=None, description="false pauses a job.")
    delete_after_run: bool | None = Field(
        default=None, description="Whether it goes once it ran well; with at it does."
    )


class Calendar(Protocol):
    """All of it as the user of the context, and with the agent of the context alone. Raises
    GatewayError. Jobs are told as JSON objects.
    """

    async def jobs(self, ctx: ToolContext) -> list[Json]:
        """Newest first."""
        ...

    async def add(self, ctx: ToolContext, values: Mapping[str, object]) -> Json: ...

    async def update(self, ctx: ToolContext, id: UUID, values: Mapping[str, object]) -> Json: ...

    async def remove(self, ctx: ToolContext, id: UUID) -> None: ...

    async def run(self, ctx: ToolContext, id: UUID) -> UUID:
        """The new run."""
        ...

    async def runs(self, ctx: ToolContext, id: UUID) -> list[Json]:
        """What came of it, newest first."""
        ...


class CronTool:
    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def tool(self) -> Tool:
        return Tool(
            "cron",
            "Has you asked something at set times, for the user: lists, adds, updates, removes and "
            "runs the user's cron jobs with you.",
            CATEGORY,
            CronArguments,
            self.call,
        )

    async def call(self, ctx: ToolContext, wanted: CronArguments) -> ToolResult:
        if sum(getattr(wanted, name) is not None for name in SCHEDULES) > 1:
            return ToolResult("Give one of at, every_s and cron.", is_error=True)
        if wanted.action in ("add", "run") and ctx.channel in BEGUN_BY_NOBODY:
            text = "Nobody asked for this run, so it can neither add cron jobs nor run them."
            return ToolResult(text, is_error=True)
        if wanted.action == "list":
            return _json({"jobs": await self._calendar.jobs(ctx)})
        if wanted.action == "add":
            return await self._add(ctx, wanted)
        if wanted.job_id is None:
            return ToolResult(f"{wanted.action} needs a job_id.", is_error=True)
        return await self._about(ctx, wanted, wanted.job_id)

    async def _about(self, ctx: ToolContext, wanted: CronArguments, id: UUID) -> ToolResult:
        if wanted.action == "update":
            values = _values(ctx, wanted)
            if not values:
                return ToolResult("Say what is to be changed.", is_error=True)
            return _json(await self._calendar.update(ctx, id, values))
        if wanted.action == "remove":
            await self._calendar.remove(ctx, id)
            return _json({"removed": id})
        if wanted.action == "run":
            return _json({"run_id": await self._calendar.run(ctx, id)})
        return _json({"runs": await self._calendar.runs(ctx, id)})

    async def _add(self, ctx: ToolContext, wanted: CronArguments) -> ToolResult:
        values = _values(ctx, wanted)
        if "kind" not in values:
            return ToolResult("Give one of at, every_s and cron.", is_error=True)
        if wanted.where is None:
            values["session_key"] = ctx.session_key
        if wanted.at is not None:
            values.setdefault("delete_after_run", True)
        return _json(await self._calendar.add(ctx, values))


def _values(ctx: ToolContext, wanted: CronArguments) -> Json:
    """Fields of a job, of what was given."""
    values: Json = {name: value for name in PLAIN if (value := getattr(wanted, name)) is not None}
    for name, field in SCHEDULES.items():
        if (value := getattr(wanted, name)) is not None:
            values |= {"kind": name.partition("_")[0], field: value}
    if wanted.where is not None:
        values["session_key"] = ctx.session_key if wanted.where == "here" else None
        values["isolated"] = wanted.where == "new"
    return values


def _json(value: Json) -> ToolResult:
    return ToolResult(orjson.dumps(value, default=str).decode())
