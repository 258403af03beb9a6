"""Built-in tools."""

from typing import Final

from goclaw.models.builtin_tools import BuiltinToolView
from goclaw.resolvers import builtin_tools
from goclaw.rest_compat.route import Route
from goclaw.rest_compat.translations import TOOL_BODY

BUILTIN_TOOLS: Final = (
    Route(
        "GET",
        "/v1/tools/builtin",
        builtin_tools.list_builtin_tools,
        BuiltinToolView,
        tag="Built-in Tools",
        summary="List built-in tools",
        description="By category and name. `settings` are null but for administrators.",
        many="tools",
    ),
    Route(
        "GET",
        "/v1/tools/builtin/{name}",
        builtin_tools.get_builtin_tool,
        BuiltinToolView,
        tag="Built-in Tools",
        summary="Get built-in tool",
    ),
    Route(
        "PUT",
        "/v1/tools/builtin/{name}",
        builtin_tools.update_builtin_tool,
        BuiltinToolView,
        tag="Built-in Tools",
        summary="Update tool settings",
        description="Only `enabled` and `settings` count; settings replace those there are. A "
        "secret that is `***` or left out stays, null forgets it.",
        constants={"status": "updated"},
        translation=TOOL_BODY,
        errors=(409,),
    ),
)
