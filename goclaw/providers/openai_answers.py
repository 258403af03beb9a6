"""What OpenAI's wire answers, with the forms other vendors give it."""

from typing import Any, Final
from uuid import uuid4

import orjson

from goclaw.providers import failures
from goclaw.providers.checked import parsed
from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import Delta, Json, Thought, ToolCall, Usage
from goclaw.providers.think_tags import ThinkTags

WIRE: Final = "openai"
_BROKE_OFF: Final = "the model stopped with an error"
# No JSON event is so short; the closing mark is.
_SHORT: Final = 32


class OpenAIReader:
    """Done at `[DONE]`, finished at the first finish reason."""

    __slots__ = ("_begun", "_config", "_ids", "_slots", "_tags", "_thoughts", "done", "finished")

    def __init__(self, config: ProviderConfig) -> None:
        self.done = False
        self.finished = False
        self._config = config
        self._begun = False
        self._slots: dict[int, int] = {}
        self._ids: list[str] = []
        self._thoughts: list[str] = []
        self._tags: ThinkTags | None = ThinkTags()

    def read(self, event: bytes) -> Delta | None:
        if len(event) < _SHORT and event.strip() == b"[DONE]":
            self.done = True
            return self._end()
        chunk = parsed(event)
        choices = chunk.get("choices")
        if choices:
            self._begun = True
            choice = choices[0]
            delta = choice.get("delta")
            if delta and len(delta) == 1 and not choice.get("finish_reason"):
                text = delta.get("content")
                if (
                    text
                    and self._tags is None
                    and text.__class__ is str
                    and not (chunk.get("usage") or choice.get("logprobs"))
                ):
                    return Delta(text)
        return self._rarer(chunk, choices)

    def _rarer(self, chunk: Json, choices: list[Json] | None) -> Delta | None:
        """All but plain text, which is nearly every chunk and has its own short way."""
        if error := chunk.get("error"):
            raise failures.failed_inside(self._config, error)
        usage = chunk.get("usage") or _grown(chunk)
        if not choices:
            return Delta(usage=usage_of(usage)) if usage else None
        choice = choices[0]
        delta = choice.get("delta") or {}
        text, thinking = content_of(delta)
        if self._tags is not None:
            text, written = self._told_apart(
                self._tags, text, ended=bool(choice.get("finish_reason"))
            )
            thinking += written
        if thinking:
            self._thoughts.append(thinking)
        fragments = delta.get("tool_calls")
        reason, logprobs = choice.get("finish_reason"), choice.get("logprobs")
        if not (text or thinking or fragments or reason or usage or logprobs):
            return None
        calls = [self._fragment(call) for call in fragments] if fragments else None
        if not reason:
            return Delta(text, thinking, calls, None, usage_of(usage), logprobs)
        reason = finish_of(self._config, reason, bool(self._ids))
        model, thought = str(chunk.get("model") or ""), self._finish()
        return Delta(text, thinking, calls, reason, usage_of(usage), logprobs, thought, model)

    def _told_apart(self, tags: ThinkTags, text: str, *, ended: bool) -> tuple[str, str]:
        """Text and the thinking written into it."""
        said, thinking = tags.feed(text) if text else ("", "")
        if ended:
            more, rest = tags.end()
            said, thinking = said + more, thinking + rest
        if ended or tags.done:
            self._tags = None
        return said, thinking

    def _finish(self) -> Thought | None:
        self.finished = True
        return Thought(WIRE, "".join(self._thoughts)) if self._thoughts else None

    def _end(self) -> Delta | None:
        if self.finished:
            return None
        if not self._begun:
            raise failures.garbage(self._config, "a stream without an answer")
        text, thinking = ("", "") if self._tags is None else self._tags.end()
        if thinking:
            self._thoughts.append(thinking)
        reason = finish_of(self._config, None, bool(self._ids))
        return Delta(text, thinking, finish_reason=reason, thought=self._finish())

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


def tool_call_of(call: Json) -> ToolCall:
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


def content_of(message: Json) -> tuple[str, str]:
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


def finish_of(config: ProviderConfig, reason: str | None, called: bool) -> str:
    """Raises UpstreamFailed where the vendor broke off: what came before is no answer."""
    match reason:
        case "error" | "insufficient_system_resource" | "abort":
            raise failures.failed_inside(config, {"type": "server_error", "message": _BROKE_OFF})
        case "length" | "model_length":
            return "length"
        case "content_filter":
            return "content_filter"
    return "tool_calls" if called else "stop"


def _grown(chunk: Json) -> Json | None:
    """Groq puts the usage of a stream under a name of its own."""
    own = chunk.get("x_groq")
    return own.get("usage") if own else None


def usage_of(usage: Json | None) -> Usage | None:
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
    written_to_cache = (reading or {}).get("cache_write_tokens") or 0
    return Usage(input_tokens, output_tokens, cached, written_to_cache, reasoning)
