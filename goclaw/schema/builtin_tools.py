from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from goclaw.models import builtin_tools as models
from goclaw.resolvers.builtin_tools import (
    get_builtin_tool,
    list_builtin_tools,
    update_builtin_tool,
)
from goclaw.schema.field import argument, described, field, input_of, mutation, parse
from goclaw.schema.info import Info
from goclaw.schema.scalars import JSON
from goclaw.schema.words import In

WORDS = {
    "enabled": "Whether agents may have it.",
    "settings": "How it is set up; `***` stands for a secret. Null but for administrators.",
}
CHANGES = {
    "enabled": "Whether agents may have it. Refused while something is missing.",
    "settings": "Replace those there are. A secret that is `***` or left out stays, null forgets.",
}


@strawberry.type(description="A tool of the server's own that agents may use.")
class BuiltinTool:
    id: UUID = described("Its id.")
    name: str = described("What it is called in an agent's `toolsConfig`, and by models.")
    display_name: str = described("The name shown to people.")
    description: str = described("What models are told of it.")
    category: str = described("What kind of tool it is.")
    enabled: bool = described(WORDS["enabled"])
    settings: JSON | None = described(WORDS["settings"])
    settings_schema: JSON | None = described("What can be set, as JSON Schema; null is nothing.")
    requires: list[str] = described("What has to be there for it to work.")
    missing: list[str] = described("Which of those are not there; without them it stays off.")
    metadata: JSON = described("How long one call may take, and whether strangers wrote results.")
    created_at: datetime = described("When it was made.")
    updated_at: datetime = described("When it was changed last.")


@input_of(models.BuiltinToolPatch, CHANGES, "Changes to a built-in tool: what is absent stays.")
class UpdateBuiltinToolInput:
    name: str = described("The tool to change.")


Named = Annotated[str, argument("What it is called.")]


@strawberry.type
class BuiltinToolQuery:
    @field(list[BuiltinTool], "The server's own tools, by category and name.")
    async def builtin_tools(self, info: Info) -> list[models.BuiltinToolView]:
        return await list_builtin_tools(info.context)

    @field(BuiltinTool, "One of the server's own tools.")
    async def builtin_tool(self, info: Info, name: Named) -> models.BuiltinToolView:
        return await get_builtin_tool(info.context, name)


@strawberry.type
class BuiltinToolMutation:
    @mutation(BuiltinTool, "Switches a tool on or off for the whole server, or sets it up.")
    async def update_builtin_tool(
        self, info: Info, input: In[UpdateBuiltinToolInput]
    ) -> models.BuiltinToolView:
        changes = parse(models.BuiltinToolPatch, input)
        return await update_builtin_tool(info.context, input.name, changes)
