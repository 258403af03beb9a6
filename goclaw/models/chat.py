"""The body of a chat completion, in OpenAI's format, and the other ways to speak to an agent."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from goclaw.models.shapes import MAX_INT, JsonObject, Label, Text, UserId

MAX_MESSAGES = 10_000


class Lenient(BaseModel):
    """Fields it does not know are left alone, as clients of many versions send them."""

    model_config = ConfigDict(extra="ignore")


class TextContent(Lenient):
    type: Literal["text"]
    text: Text


class ImageUrl(Lenient):
    """An address, or a data URL with the image inside."""

    url: Text
    detail: Literal["auto", "low", "high"] | None = None


class ImageContent(Lenient):
    type: Literal["image_url"]
    image_url: ImageUrl


ContentPart = Annotated[TextContent | ImageContent, Field(discriminator="type")]


class CalledFunction(Lenient):
    name: Label
    arguments: Text


class CalledTool(Lenient):
    id: Label
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(Lenient):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | list[ContentPart] | None = None
    name: Label | None = None
    tool_calls: list[CalledTool] | None = None
    tool_call_id: Label | None = None


def names_a_function(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError("must have a function with a name")
    return tool


def has_parameters(tool: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(tool["function"].get("parameters", {}), dict | None):
        raise ValueError("the function's parameters must be a JSON Schema")
    return tool


def has_its_schema(form: dict[str, Any]) -> dict[str, Any]:
    if form.get("type") == "json_schema":
        given = form.get("json_schema")
        if not isinstance(given, dict) or not isinstance(given.get("schema", {}), dict | None):
            raise ValueError("json_schema must hold a schema")
    return form


Tool = Annotated[JsonObject, AfterValidator(names_a_function), AfterValidator(has_parameters)]
ToolChoice = Annotated[JsonObject, AfterValidator(names_a_function)]
ResponseFormat = Annotated[JsonObject, AfterValidator(has_its_schema)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class StreamOptions(Lenient):
    include_usage: bool = False


class ChatRequest(Lenient):
    """`model` names the agent: `goclaw:<id or key>`, `agent:<id or key>` or the bare key; any
    other name means the default agent. `user` counts for keys that are bound to nobody.
    """

    model: Label = ""
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: UserId | None = None
    n: Literal[1] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    stop: Text | list[Text] | None = None
    max_tokens: int | None = Field(default=None, gt=0, le=MAX_INT)
    max_completion_tokens: int | None = Field(default=None, gt=0, le=MAX_INT)
    response_format: ResponseFormat | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    tools: list[Tool] | None = Field(default=None, max_length=512)
    tool_choice: str | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = None


NonEmpty = Annotated[Text, StringConstraints(min_length=1, max_length=1_000_000)]


class SendMessage(BaseModel):
    """One of `session_id` and `agent_id`, or neither for a new session with the default agent."""

    session_id: UUID | None = None
    agent_id: UUID | None = None
    text: NonEmpty


class Wake(Lenient):
    """`user_id` counts for keys that are bound to nobody; `session_key` continues one of the
    caller's own sessions with the agent, or names a new one.
    """

    message: NonEmpty
    user_id: UserId | None = None
    session_key: Annotated[Text, StringConstraints(min_length=1, max_length=500)] | None = None
    metadata: dict[str, Any] | None = None


class UsageView(BaseModel):
    """Tokens; those of the prompt include cached ones."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class WakeResult(BaseModel):
    content: str
    run_id: UUID
    usage: UsageView
