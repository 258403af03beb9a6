"""Agents that give tasks, and a model that says what a test wants of each."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goclaw.core.paging import PageRequest
from goclaw.models.agents import AgentCreate, AgentView
from goclaw.models.chat import ChatRequest, SendMessage, Wake
from goclaw.models.delegations import (
    AgentLinkCreate,
    DelegationView,
)
from goclaw.models.providers import Provider
from goclaw.models.run_events import RunText
from goclaw.resolvers.agent_links import (
    create_agent_link,
)
from goclaw.resolvers.agents import create_agent
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.delegations import (
    list_delegations,
)
from goclaw.resolvers.following import watch_run
from goclaw.resolvers.runs import send_message
from goclaw.resolvers.wakes import wake_agent
from tests.support.callers import context
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream, call
from tests.upstream.playing import Received
from tests.upstream.script import Script

LIMIT_S = 20
DOORS = ("chat", "message", "wake")
Says = Callable[[str, str], Script | None]
"""What the model does, by the task of its run and what it was told last."""


@dataclass
class Firm:
    """Ada's agents, whose model says what a test wants of each task."""

    server: RunningServer
    upstream: ScriptedUpstream
    provider: Provider

    @property
    def ada(self) -> Context:
        return context(self.server.services)

    async def hire(self, key: str, *tools: str, **more: Any) -> AgentView:
        data = AgentCreate(
            key=key,
            provider_id=self.provider.id,
            model="scripted-1",
            system_prompt=f"You are {key}.",
            tools_config={"allow": list(tools)},
            **more,
        )
        return await create_agent(self.ada, data)

    async def link(self, source: AgentView, target: AgentView, **more: Any) -> Any:
        data = AgentLinkCreate(source_agent_id=source.id, target_agent_id=target.id, **more)
        return await create_agent_link(self.ada, data)

    def says(self, says: Says) -> None:
        def choose(received: Received) -> Script | None:
            messages = received.body["messages"]
            asked = next(m for m in messages if m["role"] == "user")
            return says(text_of(asked), text_of(messages[-1]))

        self.upstream.choose = choose

    async def ask(self, agent: AgentView, text: str = "Begin.", door: str = "chat") -> str:
        """What the agent answers, asked by chat completions, a message or a wake."""
        if door == "wake":
            return (await wake_agent(self.ada, agent.id, Wake(message=text))).content
        if door == "message":
            sent = await send_message(self.ada, SendMessage(agent_id=agent.id, text=text))
            events = [event async for event in watch_run(self.ada, sent.id)]
            return "".join(event.text for event in events if isinstance(event, RunText))
        body = {"model": f"goclaw:{agent.key}", "messages": [{"role": "user", "content": text}]}
        run = await start_chat(self.ada, ChatRequest.model_validate(body))
        return (await run.reply()).content

    async def tasks(self, **wanted: Any) -> list[DelegationView]:
        """Newest first."""
        return [*(await list_delegations(self.ada, PageRequest(limit=50), **wanted)).rows]

    async def ended(self, count: int = 1) -> list[DelegationView]:
        """All tasks, once so many have ended."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                tasks = await self.tasks()
                if sum(task.completed_at is not None for task in tasks) >= count:
                    return tasks
                await asyncio.sleep(0.05)

    async def until_at_work(self, task: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not self.sent_for(task):  # noqa: ASYNC110 - the vendor tells nobody
                await asyncio.sleep(0.02)

    def sent_for(self, task: str) -> list[dict[str, Any]]:
        """Bodies of the model calls of runs with that task."""
        bodies = [request.body for request in self.upstream.requests]
        return [
            body
            for body in bodies
            if task in text_of(next(m for m in body["messages"] if m["role"] == "user"))
        ]


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def tools_of(body: dict[str, Any]) -> set[str]:
    return {tool["function"]["name"] for tool in body.get("tools") or ()}


def gives(tool: str, **arguments: Any) -> Script:
    return Script(calls=(call(tool, **arguments),))


def asks(key: str) -> Says:
    """Who is asked to begin asks that agent; all others answer."""

    def says(task: str, last: str) -> Script:
        if task == "Begin." and last == "Begin.":
            return gives("delegate", agent=key, task="What is new?")
        return Script(text="Nothing." if task == "What is new?" else f"Heard: {last}")

    return says
