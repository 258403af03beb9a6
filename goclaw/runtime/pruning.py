"""Shortening old results of tools where a conversation grows too long for its model. Only what
the model is sent is shortened, never what is stored.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from goclaw.models.pruning import Pruning
from goclaw.providers.messages import ModelMessage

CHARS_PER_TOKEN: Final = 4
CUT: Final = "\n[… {chars} characters left out here …]\n"
CLEARED: Final = "[This old result was left out to save space. Call the tool again if you need it.]"


def pruned(
    messages: Sequence[ModelMessage], context_window: int, rules: Pruning
) -> list[ModelMessage]:
    """`context_window` is in tokens."""
    whole = list(messages)
    room = context_window * CHARS_PER_TOKEN
    if not rules.enabled or _chars(whole) < rules.soft_trim_ratio * room:
        return whole
    old = _old_results(whole, rules.keep_last_assistants)
    for place in old:
        whole[place] = _trimmed(whole[place], rules)
    return _cleared(whole, old, rules, room)


def _cleared(
    whole: list[ModelMessage], old: list[int], rules: Pruning, room: int
) -> list[ModelMessage]:
    chars = _chars(whole)
    prunable = sum(len(whole[place].text) for place in old)
    if chars < rules.hard_clear_ratio * room or prunable < rules.min_prunable_chars:
        return whole
    for place in old:
        if chars < rules.hard_clear_ratio * room:
            break
        chars -= max(0, len(whole[place].text) - len(CLEARED))
        whole[place] = replace(whole[place], content=CLEARED)
    return whole


def _old_results(messages: Sequence[ModelMessage], keep: int) -> list[int]:
    """Places of results between the first word of the user and the last answers."""
    roles = [message.role for message in messages]
    answers = [place for place, role in enumerate(roles) if role == "assistant"]
    if "user" not in roles or len(answers) <= keep:
        return []
    end = answers[-keep] if keep else len(messages)
    return [place for place in range(roles.index("user"), end) if roles[place] == "tool"]


def _trimmed(message: ModelMessage, rules: Pruning) -> ModelMessage:
    text = message.text
    kept = rules.head_chars + rules.tail_chars
    if len(text) <= max(rules.max_chars, kept):
        return message
    tail = text[len(text) - rules.tail_chars :]
    cut = CUT.format(chars=len(text) - kept)
    return replace(message, content=text[: rules.head_chars] + cut + tail)


def _chars(messages: Sequence[ModelMessage]) -> int:
    return sum(
        len(message.text) + sum(len(call.arguments) for call in message.tool_calls)
        for message in messages
    )
