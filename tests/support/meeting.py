"""Agents with context files, and users who meet them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from goclaw.models.agents import AgentCreate, AgentType, AgentView, ShareCreate
from goclaw.models.chat import ChatRequest
from goclaw.models.providers import Provider
from goclaw.providers.messages import ToolCall
from goclaw.resolvers.agents import create_agent, share_agent
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.context import Context
from goclaw.resolvers.services import Services
from goclaw.store.context_files import Held, look_at_files
from goclaw.tools.tool import ToolContext, ToolResult
from tests.support.callers import context
from tests.upstream import ScriptedUpstream, call

FILES = ["read_file", "write_file", "edit", "list_files"]
FIRST_CONTACT = "# First contact"


@dataclass
class Meeting:
    """Ada's agents, which eve may use too; `upstream` is their model."""

    services: Services
    upstream: ScriptedUpstream
    provider: Provider

    def as_user(self, user_id: str = "ada") -> Context:
        return context(self.services, user_id)

    async def agent(self, kind: AgentType = AgentType.OPEN, **more: Any) -> AgentView:
        values = {
            "key": "guide",
            "system_prompt": "You guide.",
            "uses_context_files": True,
            "tools_config": {"allow": FILES},
            **more,
        }
        data = AgentCreate(
            agent_type=kind, provider_id=self.provider.id, model="scripted-1", **values
        )
        agent = await create_agent(self.as_user(), data)
        await share_agent(self.as_user(), agent.id, ShareCreate(user_id="eve"))
        return agent

    async def say(self, agent: AgentView, text: str = "Hello", user_id: str = "ada") -> str:
        """The prompt that its model was told for the first call of the run."""
        before = len(self.upstream.requests)
        body = {"model": f"goclaw:{agent.key}", "messages": [{"role": "user", "content": text}]}
        run = await start_chat(self.as_user(user_id), ChatRequest.model_validate(body))
        await run.reply()
        return prompt_of(self.upstream.requests[before].body)

    async def held(self, agent: AgentView, user_id: str = "ada") -> Held:
        return await look_at_files(self.services.database, agent.id, user_id)

    async def use(
        self, agent: AgentView, tool: str, /, user_id: str = "ada", **arguments: Any
    ) -> ToolResult:
        """What the tool gives a run of that user."""
        user = self.as_user(user_id)
        target = await self.services.targets.find(user.reads, id=agent.id, key="", or_default=False)
        assert target is not None
        box = await self.services.toolboxes.toolbox(target, user_id)
        assert box is not None
        said = call(tool, **arguments)
        return await box.call(
            tool_context(agent, user_id), ToolCall(said.id, said.name, said.arguments)
        )


def tool_context(agent: AgentView, user_id: str) -> ToolContext:
    return ToolContext(agent.id, agent.key, user_id, None, "a session", UUID(int=1), "http")


def prompt_of(body: dict[str, Any]) -> str:
    first = body["messages"][0]
    assert first["role"] == "system", first
    return str(first["content"])
