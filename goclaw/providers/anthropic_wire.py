"""Anthropic's Messages API (docs: platform.claude.com/docs/en/api/messages)."""

from collections.abc import Sequence
from typing import ClassVar, Final

import orjson

from goclaw.providers.anthropic_answers import WIRE, AnthropicReader, reply_of
from goclaw.providers.anthropic_thinking import (
    add_thinking,
    takes_sampling,
    takes_schemas,
    version_of,
)
from goclaw.providers.client import StreamReader
from goclaw.providers.messages import (
    SYSTEM_ROLES,
    ImagePart,
    Json,
    ModelMessage,
    ModelRequest,
    Part,
    ProviderModel,
    Reply,
    TextPart,
    Thought,
    ToolCall,
)
from goclaw.providers.structured import closed, schema_of, told_in_words
from goclaw.providers.wire import WireClient

_MAX_TOKENS_DEFAULT: Final = 4096
_CHOICES: Final = {"auto": "auto", "required": "any", "none": "none"}
_TURNS_MARKED: Final = 2


class AnthropicWire(WireClient):
    fixed_headers: ClassVar[dict[str, str]] = {"anthropic-version": "2023-06-01"}
    models_path: ClassVar[str] = "/models?limit=1000"

    def _path(self, model: str, *, stream: bool) -> str:
        return "/messages"

    def _body(self, request: ModelRequest, model: str, *, stream: bool) -> Json:
        body: Json = {
            "model": model,
            "max_tokens": request.max_tokens or _MAX_TOKENS_DEFAULT,
            "messages": _turns(request.messages),
        }
        _add_system(body, request, model)
        _add_sampling(body, request, model)
        if request.tools:
            body["tools"] = [_tool(tool["function"]) for tool in request.tools]
            _add_choice(body, request)
        add_thinking(body, request, model)
        if request.user:
            body["metadata"] = {"user_id": request.user}
        if stream:
            body["stream"] = True
        _mark_cached(body, self._config.settings.prompt_cache)
        return body

    def _reply(self, answer: Json) -> Reply:
        return reply_of(answer)

    def _reader(self) -> StreamReader:
        return AnthropicReader(self._config)

    def _models(self, answer: Json) -> list[ProviderModel]:
        return [
            ProviderModel(
                model["id"], model.get("display_name") or model["id"], model.get("max_input_tokens")
            )
            for model in answer["data"]
        ]


def _mark_cached(body: Json, kept_for: str) -> None:
    """Up to where the vendor keeps what it read. At most four marks are allowed: behind the
    tools or the first system text (an agent's own, which all its sessions begin with), behind
    the rest of the system, and behind the last two turns of the user, as the last but one is
    where the call before this one ended.
    """
    if kept_for == "off":
        return
    mark: Json = {"type": "ephemeral"}
    if kept_for != "5m":
        mark["ttl"] = kept_for
    fixed = body.get("system") or body.get("tools") or []
    ends = [fixed[0] if body.get("system") else fixed[-1], fixed[-1]] if fixed else []
    turns = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
    for block in [*ends, *(content[-1] for content in turns[-_TURNS_MARKED:])]:
        block["cache_control"] = mark


def _add_system(body: Json, request: ModelRequest, model: str) -> None:
    system = [
        {"type": "text", "text": message.text}
        for message in request.messages
        if message.role in SYSTEM_ROLES and message.text
    ]
    schema = schema_of(request.response_format)
    if schema is not None and takes_schemas(version_of(model)):
        body["output_config"] = {"format": {"type": "json_schema", "schema": closed(schema)}}
    elif told := told_in_words(request.response_format):
        system.append({"type": "text", "text": told})
    if system:
        body["system"] = system


def _add_sampling(body: Json, request: ModelRequest, model: str) -> None:
    """Temperature ends at 1 here; later models refuse it together with top_p, the latest both."""
    if takes_sampling(version_of(model)):
        if request.temperature is not None:
            body["temperature"] = min(request.temperature, 1.0)
        elif request.top_p is not None:
            body["top_p"] = request.top_p
    if stops := [stop for stop in request.stop or () if stop.strip()]:
        body["stop_sequences"] = stops


def _add_choice(body: Json, request: ModelRequest) -> None:
    wanted = request.tool_choice
    choice: Json | None = None
    if isinstance(wanted, dict):
        choice = {"type": "tool", "name": wanted["function"]["name"]}
    elif wanted in _CHOICES:
        choice = {"type": _CHOICES[wanted]}
    if request.parallel_tool_calls is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice is not None:
        body["tool_choice"] = choice


def _tool(function: Json) -> Json:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    out = {"name": function["name"], "input_schema": schema}
    if description := function.get("description"):
        out["description"] = description
    return out


def _turns(messages: list[ModelMessage]) -> list[Json]:
    """Neighbours of one role become one turn, so that parallel results stay together."""
    turns: list[Json] = []
    for message in messages:
        if message.role in SYSTEM_ROLES:
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _said(message) if role == "assistant" else _asked(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _asked(message: ModelMessage) -> list[Json]:
    if message.role == "tool":
        return [_result(message)]
    blocks = _blocks(message.parts)
    if message.name and blocks:
        blocks.insert(0, {"type": "text", "text": f"{message.name}:"})
    return blocks


def _result(message: ModelMessage) -> Json:
    out: Json = {"type": "tool_result", "tool_use_id": message.tool_call_id}
    out["content"] = _blocks(message.parts) if message.images else message.text
    if message.is_error:
        out["is_error"] = True
    return out


def _said(message: ModelMessage) -> list[Json]:
    """Thinking stands where it stood: the vendor compares it with what it sealed."""
    text, calls = message.text, message.tool_calls
    chars = done = 0
    blocks: list[Json] = []
    for thought in message.thoughts:
        if thought.wire != WIRE or not (thought.signature or thought.redacted):
            continue
        blocks += _blocks([TextPart(text[chars : thought.chars])])
        blocks += map(_call_out, calls[done : thought.calls])
        blocks.append(_thought_out(thought))
        chars, done = thought.chars, thought.calls
    return [*blocks, *_blocks([TextPart(text[chars:])]), *map(_call_out, calls[done:])]


def _thought_out(thought: Thought) -> Json:
    if thought.redacted:
        return {"type": "redacted_thinking", "data": thought.redacted}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def _call_out(call: ToolCall) -> Json:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call)}


def _blocks(parts: Sequence[Part]) -> list[Json]:
    """Without empty text, which the vendor refuses."""
    return [block for part in parts if (block := _block(part)) is not None]


def _block(part: Part) -> Json | None:
    if not isinstance(part, ImagePart):
        return {"type": "text", "text": part.text} if part.text.strip() else None
    if found := part.embedded():
        source = {"type": "base64", "media_type": found[0], "data": found[1]}
    else:
        source = {"type": "url", "url": part.url}
    return {"type": "image", "source": source}


def _arguments(call: ToolCall) -> Json:
    """The vendor takes objects only: what a model wrote wrongly is shown to it as text."""
    try:
        arguments = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        arguments = None
    return arguments if isinstance(arguments, dict) else {"invalid_json": call.arguments}
