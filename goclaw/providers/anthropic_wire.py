"""Anthropic's Messages API (docs: platform.claude.com/docs/en/api/messages)."""

from typing import ClassVar, Final

import orjson

from goclaw.providers import failures
from goclaw.providers.client import StreamReader
from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import (
    SYSTEM_ROLES,
    Delta,
    ImagePart,
    Json,
    ModelMessage,
    ModelRequest,
    Part,
    ProviderModel,
    Reply,
    ToolCall,
    Usage,
)
from goclaw.providers.wire import WireClient

_MAX_TOKENS_DEFAULT: Final = 4096
_FINISH: Final = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_CHOICES: Final = {"auto": "auto", "required": "any", "none": "none"}
_JSON_ONLY: Final = "Answer with one JSON object and nothing else."


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
            "cache_control": {"type": "ephemeral"},
        }
        _add_system(body, request)
        _add_sampling(body, request)
        if request.tools:
            body["tools"] = [_tool(tool["function"]) for tool in request.tools]
            _add_choice(body, request)
        if request.user:
            body["metadata"] = {"user_id": request.user}
        if stream:
            body["stream"] = True
        return body

    def _reply(self, answer: Json) -> Reply:
        blocks = answer["content"]
        calls = [
            ToolCall(block["id"], block["name"], orjson.dumps(block["input"]).decode())
            for block in blocks
            if block["type"] == "tool_use"
        ]
        return Reply(
            content="".join(block["text"] for block in blocks if block["type"] == "text"),
            thinking="".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
            tool_calls=calls,
            finish_reason=_FINISH.get(answer["stop_reason"], "stop"),
            usage=_usage(answer["usage"]),
            model=answer["model"],
        )

    def _reader(self) -> StreamReader:
        return _Reader(self._config)

    def _models(self, answer: Json) -> list[ProviderModel]:
        return [
            ProviderModel(
                model["id"], model.get("display_name") or model["id"], model.get("max_input_tokens")
            )
            for model in answer["data"]
        ]


class _Reader:
    """Done at `message_stop`. Usage comes in two parts, the counts of the last one being whole."""

    __slots__ = ("_bare", "_calls", "_config", "_usage", "done", "finished")

    def __init__(self, config: ProviderConfig) -> None:
        self.done = False
        self.finished = False
        self._config = config
        self._usage: Json = {}
        self._calls: dict[int, int] = {}
        self._bare: set[int] = set()

    def read(self, event: bytes) -> Delta | None:
        data = orjson.loads(event)
        match data["type"]:
            case "content_block_delta":
                return self._step(data["index"], data["delta"])
            case "content_block_start":
                return self._start(data["index"], data["content_block"])
            case "message_start":
                self._usage = data["message"].get("usage") or {}
            case "message_delta":
                return self._finish(data)
            case "content_block_stop" if data["index"] in self._bare:
                return self._piece(data["index"], "{}")
            case "message_stop":
                self.done = self.finished
            case "error":
                raise failures.failed_inside(self._config, data["error"])
        return None

    def _step(self, index: int, delta: Json) -> Delta | None:
        match delta["type"]:
            case "text_delta":
                return Delta(delta["text"]) if delta["text"] else None
            case "thinking_delta":
                return Delta(thinking=delta["thinking"]) if delta["thinking"] else None
            case "input_json_delta" if index in self._calls and delta["partial_json"]:
                return self._piece(index, delta["partial_json"])
        return None

    def _piece(self, index: int, arguments: str) -> Delta:
        self._bare.discard(index)
        piece = {"index": self._calls[index], "function": {"arguments": arguments}}
        return Delta(tool_calls=[piece])

    def _start(self, index: int, block: Json) -> Delta | None:
        if block["type"] == "text":
            return Delta(block["text"]) if block["text"] else None
        if block["type"] != "tool_use":
            return None
        slot = self._calls[index] = len(self._calls)
        given = block.get("input")
        if not given:
            self._bare.add(index)
        arguments = orjson.dumps(given).decode() if given else ""
        function = {"name": block["name"], "arguments": arguments}
        call = {"index": slot, "id": block["id"], "type": "function", "function": function}
        return Delta(tool_calls=[call])

    def _finish(self, data: Json) -> Delta:
        self.finished = True
        told = data.get("usage") or {}
        usage = self._usage | {key: count for key, count in told.items() if count is not None}
        reason = data["delta"].get("stop_reason")
        return Delta(finish_reason=_FINISH.get(reason, "stop"), usage=_usage(usage))


def _add_system(body: Json, request: ModelRequest) -> None:
    system = [
        {"type": "text", "text": message.text}
        for message in request.messages
        if message.role in SYSTEM_ROLES and message.text
    ]
    form = request.response_format or {}
    if form.get("type") == "json_schema":
        schema = form["json_schema"]["schema"]
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    elif form.get("type") == "json_object":
        system.append({"type": "text", "text": _JSON_ONLY})
    if system:
        body["system"] = system


def _add_sampling(body: Json, request: ModelRequest) -> None:
    """Temperature ends at 1 here, and newer models refuse it together with top_p."""
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
        blocks = _blocks(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: ModelMessage) -> list[Json]:
    if message.role == "tool":
        result: Json = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        return [{**result, "content": message.text}]
    blocks = [block for part in message.parts if (block := _block(part))]
    if message.role == "user" and message.name and blocks:
        blocks.insert(0, {"type": "text", "text": f"{message.name}:"})
    return blocks + [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call)}
        for call in message.tool_calls
    ]


def _block(part: Part) -> Json | None:
    """None for empty text, which the vendor refuses."""
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


def _usage(usage: Json) -> Usage:
    """The vendor's `input_tokens` leaves out what it read from or wrote to its cache."""
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    details = usage.get("output_tokens_details") or {}
    return Usage(
        input_tokens=(usage.get("input_tokens") or 0) + cached + written,
        output_tokens=usage.get("output_tokens") or 0,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=details.get("thinking_tokens") or 0,
    )
