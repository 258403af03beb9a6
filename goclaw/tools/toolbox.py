"""The tools of one run: what the model is offered, and the only way to call one."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import cache
from json import JSONDecodeError
from typing import Any, Final, Protocol

import orjson
import structlog
from pydantic import BaseModel, ValidationError

from goclaw.core.errors import GatewayError
from goclaw.providers.messages import ToolCall
from goclaw.tools.external import marked
from goclaw.tools.tool import Tool, ToolContext, ToolResult

log = structlog.get_logger()

MAX_RESULT_CHARS: Final = 60_000
Json = dict[str, Any]
Refusal = Callable[[str], Awaitable[str | None]]
"""Why a tool may not be called at this moment, in words for the model; None when it may."""


class Inspect(Protocol):
    """Gives what the model may be told of the text of a result."""

    def __call__(self, tool: str, text: str, *, external: bool) -> str: ...


async def nothing_refused(_: str) -> str | None:
    return None


def nothing_found(tool: str, text: str, *, external: bool) -> str:  # noqa: ARG001 - as `Inspect`
    return text


class Toolbox:
    """Offers its tools by name, in one order, so that a vendor's prompt cache holds. What is
    offered was allowed when the run began; `refusal` is asked again at each call.
    """

    def __init__(
        self,
        tools: Iterable[Tool],
        scrub: Callable[[str], str],
        refusal: Refusal = nothing_refused,
        inspect: Inspect = nothing_found,
    ) -> None:
        self._tools = {tool.name: tool for tool in sorted(tools, key=lambda tool: tool.name)}
        self._scrub = scrub
        self._refusal = refusal
        self._inspect = inspect
        self.definitions: list[Json] = [_definition(tool) for tool in self._tools.values()]

    @property
    def names(self) -> list[str]:
        return [*self._tools]

    def without(self, names: Collection[str]) -> "Toolbox":
        """The same but for these."""
        kept = [tool for name, tool in self._tools.items() if name not in names]
        return Toolbox(kept, self._scrub, self._refusal, self._inspect)

    def has(self, name: str) -> bool:
        """Whether a call of that name is ours; others are the client's own."""
        return name in self._tools

    async def call(self, context: ToolContext, call: ToolCall) -> ToolResult:
        """Never raises but for cancellation: what goes wrong is told to the model."""
        tool = self._tools.get(call.name)
        if tool is None:
            return ToolResult(f"There is no tool {call.name!r}.", is_error=True)
        try:
            arguments = _arguments(tool, call.arguments)
        except ValueError as error:
            return ToolResult(f"Wrong arguments for {tool.name}: {error}", is_error=True)
        result = await self._run(tool, context, arguments)
        text = _within_limit(self._scrub(result.text))
        text = self._inspect(tool.name, text, external=tool.external)
        result.text = marked(text) if tool.external else text
        return result

    async def _run(self, tool: Tool, context: ToolContext, arguments: BaseModel) -> ToolResult:
        try:
            if (refused := await self._refusal(tool.name)) is not None:
                return ToolResult(refused, is_error=True)
            async with asyncio.timeout(tool.timeout_s):
                return await tool.run(context, arguments)
        except TimeoutError:
            text = f"{tool.name} did not finish within {tool.timeout_s:g} s and was stopped."
        except GatewayError as error:
            text = f"{tool.name}: {error}"
        except Exception:  # a broken tool is told to the model, and the run goes on
            log.exception("tool.failed", tool=tool.name, run_id=str(context.run_id))
            text = f"{tool.name} failed."
        return ToolResult(text, is_error=True)


def _definition(tool: Tool) -> Json:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": _schema(tool.arguments),
    }
    return {"type": "function", "function": function}


@cache
def _schema(arguments: type[BaseModel]) -> Json:
    """Not to be changed by anybody. Making it takes as long as a chat call."""
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    return schema


def _arguments(tool: Tool, written: str) -> BaseModel:
    """Raises ValueError, in words for the model."""
    try:
        sent = orjson.loads(written or "{}")
    except JSONDecodeError as error:
        raise ValueError(f"they are no JSON: {error}") from error
    try:
        return tool.arguments.model_validate(sent)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
        raise ValueError(problems) from error


def _within_limit(text: str) -> str:
    if len(text) <= MAX_RESULT_CHARS:
        return text
    return f"{text[:MAX_RESULT_CHARS]}\n[cut: {len(text)} characters in all]"
