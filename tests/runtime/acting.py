"""Agents with tools, and what their runs leave behind."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from goclaw.core.paging import PageRequest
from goclaw.models.chat import ChatRequest
from goclaw.models.runs import RunStatus, RunView
from goclaw.models.sessions import Message
from goclaw.models.traces import SpanView, TraceView
from goclaw.resolvers.chat import ChatRun, start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.runs import list_runs
from goclaw.resolvers.services import Services
from goclaw.resolvers.sessions import list_messages
from goclaw.resolvers.traces import get_trace, list_spans
from goclaw.store.targets import Target
from goclaw.tools.registry import ToolRegistry
from goclaw.tools.tool import Tool, ToolContext, ToolResult
from goclaw.tools.toolbox import Toolbox
from tests.support.callers import add_agent, add_provider, context
from tests.upstream import ScriptedUpstream


class Place(BaseModel):
    city: str = "Paris"


@dataclass
class Bench:
    """Tools that note what they do. `gate` is what `wait` waits for."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    contexts: list[ToolContext] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    at_work: int = 0
    most_at_work: int = 0
    stopped: int = 0
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def toolbox(self, agent: Target, user_id: str) -> Toolbox:
        tools = [
            self._tool("weather", self.weather),
            self._tool("wait", self.wait),
            self._tool("slow", self.wait, timeout_s=0.05),
            self._tool("broken", self.broken),
            self._tool("refuses", self.refuses),
        ]
        return Toolbox(tools, lambda text: text)

    def _tool(
        self,
        name: str,
        run: Callable[[ToolContext, Any], Awaitable[ToolResult]],
        timeout_s: float = 30,
    ) -> Tool:
        return Tool(name, f"Does {name}.", "test", Place, run, timeout_s=timeout_s)

    async def weather(self, ctx: ToolContext, place: Place) -> ToolResult:
        self.calls.append(("weather", place.city))
        self.contexts.append(ctx)
        return ToolResult(f"Sunny in {place.city}.")

    async def wait(self, ctx: ToolContext, place: Place) -> ToolResult:
        self.calls.append(("wait", place.city))
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        self.started.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        finally:
            self.at_work -= 1
        return ToolResult(f"Waited in {place.city}.")

    async def broken(self, ctx: ToolContext, place: Place) -> ToolResult:
        raise RuntimeError("broken on purpose")

    async def refuses(self, ctx: ToolContext, place: Place) -> ToolResult:
        return ToolResult(f"{place.city} is closed.", is_error=True)


def every_agent_has(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that start from now on give their agents the tools of the bench."""

    async def toolbox(_: ToolRegistry, agent: Target, user_id: str) -> Toolbox:
        return await bench.toolbox(agent, user_id)

    monkeypatch.setattr(ToolRegistry, "toolbox", toolbox)


def chat(text: str = "What is it like?", **options: Any) -> ChatRequest:
    body = {"model": "goclaw:scribe", "messages": [{"role": "user", "content": text}]}
    return ChatRequest.model_validate(body | options)


@dataclass
class Scene:
    """An agent named scribe that has the tools of the bench, and ada who asks it."""

    services: Services
    upstream: ScriptedUpstream
    bench: Bench
    ctx: Context

    async def start(self, data: ChatRequest | None = None) -> ChatRun:
        return await start_chat(self.ctx, data or chat())

    def sent(self, number: int = -1) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.upstream.requests[number].body["messages"]
        return messages

    async def run(self) -> RunView:
        """The last one."""
        return (await list_runs(self.ctx.afresh(), PageRequest())).rows[0]

    async def stored(self) -> list[Message]:
        """Oldest first."""
        run = await self.run()
        assert run.session_id is not None
        rows = (await list_messages(self.ctx.afresh(), run.session_id, PageRequest())).rows
        return sorted(rows, key=lambda row: row.seq)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What followers of the last run were told, in order."""
        run = await self.run()
        rows = await self.services.database.pool.fetch(
            "select kind, payload from events where topic = $1 order by xid, id", f"run:{run.id}"
        )
        return [(row["kind"], row["payload"]) for row in rows]

    async def tool_started(self) -> None:
        """One of those that wait for the gate."""
        async with asyncio.timeout(10):
            await self.bench.started.wait()

    async def until(self, holds: Callable[[], Awaitable[bool]], timeout_s: float = 10) -> None:
        async with asyncio.timeout(timeout_s):
            while not await holds():  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)

    async def until_told(self, events: int) -> None:
        async def told() -> bool:
            return len(await self.told()) >= events

        await self.until(told)

    async def until_ended(self) -> None:
        async def ended() -> bool:
            return (await self.run()).status != RunStatus.RUNNING

        await self.until(ended)

    async def trace(self) -> tuple[TraceView, list[SpanView]]:
        await self.services.traces.flush()
        ctx, run = self.ctx.afresh(), await self.run()
        return await get_trace(ctx, run.trace_id), await list_spans(ctx, run.trace_id)


async def set_scene(services: Services, upstream: ScriptedUpstream, **settings: Any) -> Scene:
    bench = Bench()
    services = replace(services, toolboxes=bench)
    await add_agent(services, await add_provider(services, upstream, **settings))
    return Scene(services, upstream, bench, context(services))


def told_to_model(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else orjson.dumps(content).decode()
