"""Which generation of Claude thinks how (platform.claude.com/docs, extended and adaptive
thinking).
"""

import re
from typing import Final

from goclaw.providers.anthropic_answers import WIRE
from goclaw.providers.messages import Json, ModelMessage, ModelRequest

_NAMED: Final = re.compile(r"claude-[a-z]+-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
_NUMBERED: Final = re.compile(r"claude-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
_FIRST: Final = (3, 7)
_ADAPTIVE: Final = (4, 6)
_UNSAMPLED: Final = (4, 7)
_STRUCTURED: Final = (4, 1)
_BUDGETS: Final = {"low": 4096, "medium": 10_000, "high": 32_000}
_BUDGET_LEAST: Final = 1024
_OPUS_4_OUTPUT: Final = 32_000
_OPUS_4: Final = re.compile(r"claude-opus-4(?:-[01])?(?:-\d{8}|-latest)?$")

Version = tuple[int, int]


def version_of(model: str) -> Version | None:
    """(4, 6) for claude-sonnet-4-6 and its like; None for another maker's model."""
    found = _NAMED.search(model) or _NUMBERED.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def takes_sampling(version: Version | None) -> bool:
    return version is None or version < _UNSAMPLED


def takes_schemas(version: Version | None) -> bool:
    return version is None or version >= _STRUCTURED


def add_thinking(body: Json, request: ModelRequest, model: str) -> None:
    """Nothing where the model cannot think now: it is too old, a tool is forced on it, or it
    would have to go on with a turn whose thinking is lost.
    """
    level, version = request.thinking_level, version_of(model)
    if level is None or level == "off" or (version is not None and version < _FIRST):
        return
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        return
    if version is not None and version >= _ADAPTIVE:
        body["thinking"] = {"type": "adaptive", "display": "summarized"}
        body["output_config"] = {**body.get("output_config", {}), "effort": level}
    elif _is_whole(request.messages):
        _add_budget(body, level, model)
    else:
        return
    for option in ("temperature", "top_p"):
        body.pop(option, None)


def _add_budget(body: Json, level: str, model: str) -> None:
    """The budget comes on top of what was asked for the answer, as far as the model goes."""
    budget, answer = _BUDGETS.get(level, _BUDGETS["medium"]), body["max_tokens"]
    total = answer + budget
    if _OPUS_4.search(model):
        total = max(min(total, _OPUS_4_OUTPUT), _BUDGET_LEAST + 1)
        budget = max(min(budget, total - answer), _BUDGET_LEAST)
    body["max_tokens"] = total
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _is_whole(messages: list[ModelMessage]) -> bool:
    """Whether the tool calls still to be answered for begin with their thinking."""
    for message in reversed(messages):
        if message.role == "user":
            return True
        if message.role == "assistant" and message.tool_calls:
            return any(thought.wire == WIRE for thought in message.thoughts)
    return True
