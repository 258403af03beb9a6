"""A reply put together from its stream."""

from typing import Any

from goclaw.providers.messages import Delta, Json, Reply, Thought, ToolCall


class ReplyBuilder:
    """Adds the deltas of a stream up to the reply they make."""

    def __init__(self, model: str = "") -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._thoughts: list[Thought] = []
        self._calls: dict[int, ToolCall] = {}
        self._arguments: dict[int, list[str]] = {}
        self._logprobs: list[Any] = []
        self._reply = Reply(model=model, finish_reason="")

    def add(self, delta: Delta) -> None:
        if delta.text:
            self._text.append(delta.text)
        if delta.thinking:
            self._thinking.append(delta.thinking)
        if delta.tool_calls:
            for fragment in delta.tool_calls:
                self._add_fragment(fragment)
        if delta.thought is not None:
            self._add_thought(delta.thought)
        if delta.finish_reason:
            self._reply.finish_reason = delta.finish_reason
            self._reply.model = delta.model or self._reply.model
        if delta.usage is not None:
            self._reply.usage = delta.usage
        if delta.logprobs:
            self._logprobs.extend(delta.logprobs.get("content") or ())

    def _add_fragment(self, fragment: Json) -> None:
        index = fragment["index"]
        call = self._calls.setdefault(index, ToolCall("", "", ""))
        function = fragment.get("function") or {}
        call.id = call.id or fragment.get("id") or ""
        call.name = call.name or function.get("name") or ""
        self._arguments.setdefault(index, []).append(function.get("arguments") or "")
        call.extra = fragment.get("extra_content") or call.extra

    def _add_thought(self, thought: Thought) -> None:
        thought.chars = sum(map(len, self._text))
        thought.calls = len(self._calls)
        self._thoughts.append(thought)

    def drop_calls(self) -> None:
        """As if no tool had been called."""
        self._calls.clear()
        self._arguments.clear()
        self._thoughts = [thought for thought in self._thoughts if not thought.calls]

    @property
    def text(self) -> str:
        return "".join(self._text)

    def reply(self) -> Reply:
        """What came so far; `finish_reason` is empty until the model has finished."""
        reply = self._reply
        reply.content = "".join(self._text)
        reply.thinking = "".join(self._thinking)
        reply.thoughts = self._thoughts
        for index, pieces in self._arguments.items():
            self._calls[index].arguments = "".join(pieces)
        reply.tool_calls = [self._calls[index] for index in sorted(self._calls)]
        reply.logprobs = {"content": self._logprobs} if self._logprobs else None
        return reply
