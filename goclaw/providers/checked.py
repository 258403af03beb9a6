"""What a vendor says, checked: it may be anything, and everything behind relies on its form."""

from typing import Any, Final

import orjson

from goclaw.core.nuls import without_nuls
from goclaw.providers.messages import Delta, Json, ProviderModel, Reply, Thought, Usage

MAX_TOKENS: Final = 20_000_000
"""Of one call, so that a run of a hundred still fits its column. A count beyond it is none."""

MAX_NAME_CHARS: Final = 200
"""What a vendor calls its model."""


def parsed(data: bytes) -> Any:
    """Raises JSONDecodeError."""
    return orjson.loads(without_nuls(data))


def checked_reply(reply: Reply) -> Reply:
    """Raises TypeError for what is no text. A strange model's name or count is left out."""
    calls = (text for call in reply.tool_calls for text in (call.id, call.name, call.arguments))
    _check_texts(reply.content, reply.thinking, reply.finish_reason, *calls)
    _check_thoughts(*reply.thoughts)
    reply.usage = _counted(reply.usage)
    reply.model = _name(reply.model)
    reply.logprobs = _logprobs(reply.logprobs)
    return reply


def checked_delta(delta: Delta) -> Delta:
    """Raises like `checked_reply`."""
    if delta.text.__class__ is not str or delta.thinking.__class__ is not str:
        raise TypeError
    if (
        delta.finish_reason is None
        and delta.tool_calls is None
        and delta.usage is None
        and delta.thought is None
        and delta.logprobs is None
    ):
        return delta  # as nearly all are
    for fragment in delta.tool_calls or ():
        function = fragment["function"]
        given = (function.get("name"), function.get("arguments"), fragment.get("id"))
        _check_texts(*(text for text in given if text is not None))
    if delta.thought is not None:
        _check_thoughts(delta.thought)
    if delta.usage is not None:
        delta.usage = _counted(delta.usage)
    if delta.logprobs is not None:
        delta.logprobs = _logprobs(delta.logprobs)
    delta.model = _name(delta.model)
    return delta


def checked_models(models: list[ProviderModel]) -> list[ProviderModel]:
    """Raises TypeError for what is no text."""
    for model in models:
        _check_texts(model.id, model.name)
        if not _is_count(model.context_tokens):
            model.context_tokens = None
    return models


def _check_texts(*texts: object) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise TypeError


def _check_thoughts(*thoughts: Thought) -> None:
    for thought in thoughts:
        _check_texts(thought.text, thought.signature, thought.redacted)


def _counted(usage: Usage | None) -> Usage | None:
    """None where nobody can know what was used; parts that do not fit into the whole are none."""
    if usage is None or not (_is_count(usage.input_tokens) and _is_count(usage.output_tokens)):
        return None
    cached, written = usage.cached_tokens, usage.cache_write_tokens
    if not (_is_count(cached) and _is_count(written) and cached + written <= usage.input_tokens):
        usage.cached_tokens = usage.cache_write_tokens = 0
    if not (_is_count(usage.reasoning_tokens) and usage.reasoning_tokens <= usage.output_tokens):
        usage.reasoning_tokens = 0
    return usage


def _is_count(told: object) -> bool:
    return type(told) is int and 0 <= told <= MAX_TOKENS


def _name(told: object) -> str:
    return told[:MAX_NAME_CHARS] if isinstance(told, str) else ""


def _logprobs(told: object) -> Json | None:
    if isinstance(told, dict) and isinstance(told.get("content"), list):
        return told
    return None
