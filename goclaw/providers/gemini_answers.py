"""What Google's Gemini API answers, whole and as a stream."""

from typing import Final
from uuid import uuid4

import orjson

from goclaw.providers import failures
from goclaw.providers.checked import parsed
from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import Delta, Json, Reply, Thought, ToolCall, Usage

WIRE: Final = "gemini"
_FINISH: Final = {
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
}
_BROKEN_OFF: Final = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
    }
)


def reply_of(config: ProviderConfig, answer: Json) -> Reply:
    reader = GeminiReader(config)
    delta = reader.read_answer(answer)
    if delta is None or not reader.finished:
        raise failures.garbage(config, "no candidate")
    calls = [_tool_call(call) for call in delta.tool_calls or ()]
    if delta.thought is not None:
        delta.thought.chars, delta.thought.calls = len(delta.text), len(calls)
    return Reply(
        content=delta.text,
        thinking=delta.thinking,
        thoughts=[] if delta.thought is None else [delta.thought],
        tool_calls=calls,
        finish_reason=delta.finish_reason or "stop",
        usage=delta.usage,
        model=answer.get("modelVersion") or "",
    )


class GeminiReader:
    """Every event is a whole answer of its own; there is no closing mark, only a finish reason.

    What is told of its thinking is for people; the signature behind the text is for the vendor.
    """

    __slots__ = ("_calls", "_config", "_thought", "done", "finished")

    def __init__(self, config: ProviderConfig) -> None:
        self.done = False
        self.finished = False
        self._config = config
        self._calls = 0
        self._thought = Thought(WIRE)

    def read(self, event: bytes) -> Delta | None:
        answer = parsed(event)
        if error := answer.get("error"):
            raise failures.failed_inside(self._config, error)
        return self.read_answer(answer)

    def read_answer(self, answer: Json) -> Delta | None:
        candidates = answer.get("candidates")
        if not candidates:
            return self._blocked(answer)
        candidate = candidates[0]
        delta = Delta()
        calls = []
        for part in (candidate.get("content") or {}).get("parts") or ():
            if "functionCall" in part:
                calls.append(self._call(part))
            elif part.get("thought"):
                delta.thinking += part.get("text") or ""
            else:
                delta.text += part.get("text") or ""
                self._thought.signature = part.get("thoughtSignature") or self._thought.signature
        delta.tool_calls = calls or None
        self._thought.text += delta.thinking
        if reason := candidate.get("finishReason"):
            delta.finish_reason = self._finish(reason)
            delta.model = answer.get("modelVersion") or ""
            delta.thought = self._thought if self._thought != Thought(WIRE) else None
        if self.finished:
            delta.usage = _usage(answer.get("usageMetadata"))
        elif not (delta.text or delta.thinking or calls):
            return None
        return delta

    def _blocked(self, answer: Json) -> Delta | None:
        """The prompt was refused, or the counts came by themselves."""
        if (answer.get("promptFeedback") or {}).get("blockReason"):
            self.finished = True
            return Delta(finish_reason="content_filter", usage=_usage(answer.get("usageMetadata")))
        usage = _usage(answer.get("usageMetadata")) if self.finished else None
        return Delta(usage=usage) if usage else None

    def _finish(self, reason: str) -> str:
        if reason in _BROKEN_OFF:
            raise failures.garbage(self._config, reason.lower().replace("_", " "))
        self.finished = True
        return _FINISH.get(reason) or ("tool_calls" if self._calls else "stop")

    def _call(self, part: Json) -> Json:
        call = part["functionCall"]
        index, self._calls = self._calls, self._calls + 1
        arguments = orjson.dumps(call.get("args") or {}).decode()
        out: Json = {
            "index": index,
            "id": call.get("id") or f"call_{uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": call["name"], "arguments": arguments},
        }
        if signature := part.get("thoughtSignature"):
            out["extra_content"] = {"google": {"thought_signature": signature}}
        return out


def _tool_call(call: Json) -> ToolCall:
    function = call["function"]
    return ToolCall(call["id"], function["name"], function["arguments"], call.get("extra_content"))


def _usage(usage: Json | None) -> Usage | None:
    """The vendor counts thoughts beside the candidates, and tool results beside the prompt."""
    if not usage:
        return None
    thoughts = usage.get("thoughtsTokenCount") or 0
    return Usage(
        (usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0),
        (usage.get("candidatesTokenCount") or 0) + thoughts,
        usage.get("cachedContentTokenCount") or 0,
        reasoning_tokens=thoughts,
    )
