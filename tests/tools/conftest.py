"""What tests of tools share: a context to be called in, and a box to be called through."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from goclaw.core.ids import uuid7
from goclaw.providers.messages import ToolCall
from goclaw.tools.tool import Tool, ToolContext, ToolResult
from goclaw.tools.toolbox import Toolbox
from goclaw.tools.workspace import Workspaces

AGENT = uuid7()


def tool_context(user_id: str = "ada", *, agent_id: UUID = AGENT, **more: Any) -> ToolContext:
    given = {"session_id": None, "session_key": "agent:scribe:web-ada", "channel": "web"}
    return ToolContext(
        agent_id=agent_id,
        agent_key="scribe",
        user_id=user_id,
        **{"run_id": uuid7(), **given, **more},
    )


class Caller:
    """Calls tools as a model does: by name, with JSON."""

    def __init__(self, tools: list[Tool], context: ToolContext | None = None) -> None:
        self.box = Toolbox(tools, lambda text: text)
        self.context = context or tool_context()

    async def __call__(self, name: str, /, **arguments: Any) -> ToolResult:
        call = ToolCall("1", name, orjson.dumps(arguments).decode())
        return await self.box.call(self.context, call)

    async def said(self, name: str, /, **arguments: Any) -> str:
        result = await self(name, **arguments)
        assert not result.is_error, result.text
        return result.text

    async def refused(self, name: str, /, **arguments: Any) -> str:
        result = await self(name, **arguments)
        assert result.is_error, result.text
        return result.text


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "workspaces")


@pytest.fixture
def as_user() -> Callable[..., ToolContext]:
    return tool_context
