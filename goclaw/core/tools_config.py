"""What an agent's `tools_config` may say of its tools. Fields it does not know are left alone."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from goclaw.core.tool_names import Profile, is_known

MAX_ENTRIES: Final = 200
MAX_CHARS: Final = 128
"""Of one entry."""


def _known(entry: str) -> str:
    if not is_known(entry):
        raise ValueError(f"{entry} is no tool, group or pattern that is known here")
    return entry


Entry = Annotated[str, Field(min_length=1, max_length=MAX_CHARS), AfterValidator(_known)]
Entries = Annotated[list[Entry], Field(max_length=MAX_ENTRIES)]


class ToolRules(BaseModel):
    """Names of tools, patterns such as `mcp__*`, and groups such as `group:fs`."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, populate_by_name=True)

    profile: Profile | None = None
    allow: Entries | None = None
    also_allow: Entries = Field(default=[], alias="alsoAllow")
    deny: Entries = []


class ToolsConfig(ToolRules):
    """`by_provider` narrows the rest where the agent's model is one of that provider."""

    by_provider: dict[str, ToolRules] = Field(default={}, alias="byProvider")


def read_tools_config(config: Mapping[str, Any]) -> ToolsConfig:
    """Raises ValueError that names the first field that is wrong."""
    try:
        return ToolsConfig.model_validate(dict(config))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {what[:1].lower()}{what[1:]}") from None


def checked_tools_config(config: dict[str, Any]) -> dict[str, Any]:
    """As it was given. Raises ValueError."""
    read_tools_config(config)
    return config
