"""A tool: one function, the shape of its arguments, and what the model is told of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from goclaw.providers.messages import ImagePart
from goclaw.store.targets import Target


@dataclass(frozen=True, slots=True)
class ToolContext:
    """In whose name, and in which run, a tool is called. `session_id` may be gone by now."""

    agent_id: UUID
    agent_key: str
    user_id: str
    session_id: UUID | None
    session_key: str
    run_id: UUID
    channel: str


@dataclass(slots=True)
class ToolResult:
    """`text` is for the model. An error is a result, too: the model decides what to do about it."""

    text: str
    is_error: bool = False
    images: list[ImagePart] = field(default_factory=list)


def anybody(_: Target) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Tool:
    """`arguments` gives the JSON Schema and checks what the model wrote. `external` marks results
    that strangers may have written. `requires` names what has to be there for it to work;
    `settings` is the shape of what an administrator can set, its SecretStr fields stored sealed.
    `helps` tells agents it is offered to from those that could do nothing with it.
    """

    name: str
    description: str
    category: str
    arguments: type[BaseModel]
    run: Callable[[ToolContext, Any], Awaitable[ToolResult]]
    timeout_s: float = 30
    external: bool = False
    requires: tuple[str, ...] = ()
    settings: type[BaseModel] | None = None
    helps: Callable[[Target], bool] = anybody

    @property
    def display_name(self) -> str:
        return self.name.replace("_", " ").capitalize()
