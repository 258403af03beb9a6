"""OpenAI's chat completions, which most vendors speak with small differences."""

from typing import Any
from uuid import uuid4

import orjson

from goclaw.providers import failures
from goclaw.providers.client import StreamReader
from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import (
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

# Their limit has another name, and some of them accept no temperature.
_REASONING = ("gpt-5", "o1", "o3", "o4")
_NO_TEMPERATURE = ("gpt-5-mini", "gpt-5-nano", "o1", "o3", "o4")
_OPTIONS = (
    "temperature",
    "top_p",
    "stop",
    "max_tokens",
    "response_format",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "user",
    "logprobs",
    "top_logprobs",
)


class OpenAIWire(WireClient):
    def _path(self, model: str, *, stream: bool) -> str:
        return "/chat/completions"

    def _body(self, request: ModelRequest, model: str, *, stream: bool) -> Json:
        named = "name" not in self._vendor.dropped
        body: Json = {
            "model": model,
            "messages": [_message(message, named) for message in request.messages],
        }
        for option in _OPTIONS:
            value = getattr(request, option)
            if value is not None:
                body[option] = value
        if not request.tools:
            for option in ("tools", "tool_choice", "parallel_tool_calls"):
                body.pop(option, None)
        if stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        self._suit(body, model)
        return body

    def _suit(self, body: Json, model: str) -> None:
        vendor = self._vendor
        for option in vendor.dropped:
            body.pop(option, None)
        for ours, theirs in vendor.renamed.items():
            if ours in body:
                body[theirs] = body.pop(ours)
        bare = model.rpartition("/")[2]
        if bare.startswith(_REASONING) and "max_tokens" in body:
            body["max_completion_tokens"] = body.pop("max_tokens")
        if bare.startswith(_NO_TEMPERATURE):
            body.pop("temperature", None)

    def _reply(self, answer: Json) -> Reply:
        choice = answer["choices"][0]
        message = choice["message"]
        text, thinking = _content(message)
        calls = [_tool_call(call) for call in message.get("tool_calls") or ()]
        return Reply(
            content=text or message.get("refusal") or "",
            thinking=thinking,
            tool_calls=calls,
            finish_reason=_finish(choice.get("finish_reason"), bool(calls)),
            usage=_usage(answer.get("usage")),
            model=answer.get("model") or "",
            logprobs=choice.get("logprobs"),
        )

    def _reader(self) -> StreamReader:
        return _Reader(self._config)

    def _models(self, answer: Json) -> list[ProviderModel]:
        return [
            ProviderModel(model["id"], model.get("name") or model["id"], _context_tokens(model))
            for model in answer["data"]
        ]


class _Reader:
    """Done at `[DONE]`, finished at the first finish reason."""

    __slots__ = ("_begun", "_config", "_ids", "_slots", "done", "finished")

    def __init__(self, config: ProviderConfig) -> None:
        self.done = False
        self.finished = False
        self._config = config
        self._begun = False
        self._slots: dict[int, int] = {}
        self._ids: list[str] = []

    def read(self, event: bytes) -> Delta | None:
        if event.strip() == b"[DONE]":
            self.done = True
            return self._end()
        chunk = orjson.loads(event)
        if error := chunk.get("error"):
            raise failures.failed_inside(self._config, error)
        usage = chunk.get("usage")
        choices = chunk.get("choices")
        if not choices:
            return Delta(usage=_usage(usage)) if usage else None
        self._begun = True
        choice = choices[0]
        delta = choice.get("delta") or {}
        text, thinking = _content(delta)
        fragments = delta.get("tool_calls")
        reason = choice.get("finish_reason")
        logprobs = choice.get("logprobs")
        if not (text or thinking or fragments or reason or usage or logprobs):
            return None
        calls = [self._fragment(call) for call in fragments] if fragments else None
        if reason:
            self.finished = True
            reason = _finish(reason, bool(self._ids))
        return Delta(text, thinking, calls, reason, _usage(usage or _grown(chunk)), logprobs)

    def _end(self) -> Delta | None:
        if self.finished:
            return None
        if not self._begun:
            raise failures.garbage(self._config, "a stream without an answer")
        self.finished = True
        return Delta(finish_reason=_finish(None, bool(self._ids)))

    def _fragment(self, call: Json) -> Json:
        """Numbered without gaps; a vendor may leave the index out or give all calls the same."""
        function = call.get("function") or {}
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = orjson.dumps(arguments).decode()
        id, name = call.get("id"), function.get("name")
        given = call.get("index")
        slot = self._slot(given, id, name)
        if slot < len(self._ids):
            return {"index": slot, "function": {"arguments": arguments}, **_extra(call)}
        id = id or _call_id()
        self._ids.append(id)
        if given is not None:
            self._slots[given] = slot
        return {
            "index": slot,
            "id": id,
            "type": "function",
            "function": {"name": (name or "").strip(), "arguments": arguments},
            **_extra(call),
        }

    def _slot(self, given: int | None, id: str | None, name: str | None) -> int:
        new = len(self._ids)
        if given is None:
            if id:
                return self._ids.index(id) if id in self._ids else new
            return new if name or not new else new - 1
        slot = self._slots.get(given, new)
        if slot < new and id and name and id != self._ids[slot]:
            return new
        return slot


def _message(message: ModelMessage, named: bool) -> Json:
    out: Json = {"role": message.role}
    if message.tool_calls:
        out["tool_calls"] = [_call_out(call) for call in message.tool_calls]
    content = _content_out(message)
    if content or not message.tool_calls:
        out["content"] = content
    if message.role == "tool":
        out["tool_call_id"] = message.tool_call_id
    elif message.name and named:
        out["name"] = message.name
    return out


def _content_out(message: ModelMessage) -> str | list[Json]:
    """A list only where there is an image: not every vendor takes lists of text."""
    content = message.content
    if isinstance(content, str) or not any(isinstance(part, ImagePart) for part in content):
        return message.text
    return [_part(part) for part in content]


def _part(part: Part) -> Json:
    if isinstance(part, ImagePart):
        image = {"url": part.url}
        if part.detail:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    return {"type": "text", "text": part.text}


def _call_out(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    out: Json = {"id": call.id, "type": "function", "function": function}
    if call.extra:
        out["extra_content"] = call.extra
    return out


def _tool_call(call: Json) -> ToolCall:
    function = call["function"]
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = orjson.dumps(arguments).decode()
    name = function["name"].strip()
    return ToolCall(call.get("id") or _call_id(), name, arguments, call.get("extra_content"))


def _call_id() -> str:
    return f"call_{uuid4().hex[:24]}"


def _extra(call: Json) -> Json:
    extra = call.get("extra_content")
    return {"extra_content": extra} if extra else {}


def _content(message: Json) -> tuple[str, str]:
    """Text and thinking. Mistral's reasoning models send a list of both."""
    content = message.get("content") or message.get("refusal") or ""
    thinking = message.get("reasoning_content") or message.get("reasoning") or ""
    if isinstance(content, str):
        return content, thinking
    text = "".join(part.get("text") or "" for part in content if part.get("type") == "text")
    thoughts = (part.get("thinking") for part in content if part.get("type") == "thinking")
    return text, thinking + "".join(_thought(thought) for thought in thoughts)


def _thought(thought: Any) -> str:
    if isinstance(thought, list):
        return "".join(part.get("text") or "" for part in thought)
    return thought or ""


def _finish(reason: str | None, called: bool) -> str:
    match reason:
        case "length" | "model_length":
            return "length"
        case "content_filter":
            return "content_filter"
    return "tool_calls" if called else "stop"


def _grown(chunk: Json) -> Json | None:
    """Groq puts the usage of a stream under a name of its own."""
    own = chunk.get("x_groq")
    return own.get("usage") if own else None


def _usage(usage: Json | None) -> Usage | None:
    """xAI counts reasoning beside the completion, all others inside; the total tells."""
    if not usage:
        return None
    input_tokens, output_tokens = (
        usage.get("prompt_tokens") or 0,
        usage.get("completion_tokens") or 0,
    )
    reading, writing = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    reasoning = (writing or {}).get("reasoning_tokens") or 0
    if reasoning and usage.get("total_tokens") == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning
    cached = (reading or {}).get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
    return Usage(input_tokens, output_tokens, cached, reasoning_tokens=reasoning)


def _context_tokens(model: Json) -> int | None:
    for key in ("context_window", "max_context_length", "context_length"):
        if isinstance(size := model.get(key), int):
            return size
    return None
