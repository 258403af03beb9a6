"""What Anthropic's Messages API answers, whole and as a stream."""

from typing import Final

import orjson

from goclaw.providers import failures
from goclaw.providers.checked import parsed
from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import Delta, Json, Reply, Thought, ToolCall, Usage

WIRE: Final = "anthropic"
_FINISH: Final = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "refusal": "content_filter",
}


def reply_of(answer: Json) -> Reply:
    reply = Reply(
        finish_reason=_FINISH.get(answer["stop_reason"], "stop"),
        usage=usage_of(answer["usage"]),
        model=answer["model"],
    )
    for block in answer["content"]:
        match block["type"]:
            case "text":
                reply.content += block["text"]
            case "thinking":
                reply.thinking += block["thinking"]
                _place(reply, _thought(block))
            case "redacted_thinking":
                _place(reply, _thought(block))
            case "tool_use":
                arguments = orjson.dumps(block["input"]).decode()
                reply.tool_calls.append(ToolCall(block["id"], block["name"], arguments))
    return reply


def _place(reply: Reply, thought: Thought) -> None:
    thought.chars, thought.calls = len(reply.content), len(reply.tool_calls)
    reply.thoughts.append(thought)


def _thought(block: Json) -> Thought:
    return Thought(
        WIRE,
        block.get("thinking") or "",
        block.get("signature") or "",
        block.get("data") or "",
    )


class AnthropicReader:
    """Done at `message_stop`. Usage comes in two parts, the counts of the last one being whole."""

    __slots__ = ("_bare", "_calls", "_config", "_model", "_thoughts", "_usage", "done", "finished")

    def __init__(self, config: ProviderConfig) -> None:
        self.done = False
        self.finished = False
        self._config = config
        self._usage: Json = {}
        self._model = ""
        self._calls: dict[int, int] = {}
        self._bare: set[int] = set()
        self._thoughts: dict[int, Thought] = {}

    def read(self, event: bytes) -> Delta | None:
        data = parsed(event)
        match data["type"]:
            case "content_block_delta":
                return self._step(data["index"], data["delta"])
            case "content_block_start":
                return self._start(data["index"], data["content_block"])
            case "message_start":
                self._usage = data["message"].get("usage") or {}
                self._model = data["message"].get("model") or ""
            case "message_delta":
                return self._finish(data)
            case "content_block_stop":
                return self._stop(data["index"])
            case "message_stop":
                self.done = self.finished
            case "error":
                raise failures.failed_inside(self._config, data["error"])
        return None

    def _step(self, index: int, delta: Json) -> Delta | None:
        match delta["type"]:
            case "text_delta":
                return Delta(delta["text"]) if delta["text"] else None
            case "thinking_delta" if delta["thinking"]:
                if index in self._thoughts:
                    self._thoughts[index].text += delta["thinking"]
                return Delta(thinking=delta["thinking"])
            case "signature_delta" if index in self._thoughts:
                self._thoughts[index].signature = delta["signature"]
            case "input_json_delta" if index in self._calls and delta["partial_json"]:
                return self._piece(index, delta["partial_json"])
        return None

    def _piece(self, index: int, arguments: str) -> Delta:
        self._bare.discard(index)
        piece = {"index": self._calls[index], "function": {"arguments": arguments}}
        return Delta(tool_calls=[piece])

    def _start(self, index: int, block: Json) -> Delta | None:
        match block["type"]:
            case "text":
                return Delta(block["text"]) if block["text"] else None
            case "thinking" | "redacted_thinking":
                thought = self._thoughts[index] = _thought(block)
                return Delta(thinking=thought.text) if thought.text else None
            case "tool_use":
                return self._call(index, block)
        return None

    def _call(self, index: int, block: Json) -> Delta:
        slot = self._calls[index] = len(self._calls)
        given = block.get("input")
        if not given:
            self._bare.add(index)
        arguments = orjson.dumps(given).decode() if given else ""
        function = {"name": block["name"], "arguments": arguments}
        call = {"index": slot, "id": block["id"], "type": "function", "function": function}
        return Delta(tool_calls=[call])

    def _stop(self, index: int) -> Delta | None:
        if index in self._bare:
            return self._piece(index, "{}")
        thought = self._thoughts.pop(index, None)
        return None if thought is None else Delta(thought=thought)

    def _finish(self, data: Json) -> Delta:
        self.finished = True
        told = data.get("usage") or {}
        usage = self._usage | {key: count for key, count in told.items() if count is not None}
        reason = data["delta"].get("stop_reason")
        return Delta(
            finish_reason=_FINISH.get(reason, "stop"), usage=usage_of(usage), model=self._model
        )


def usage_of(usage: Json) -> Usage:
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
