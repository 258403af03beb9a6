"""Old results of tools are shortened where a conversation grows too long."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from goclaw.models.agents import AgentPatch
from goclaw.models.pruning import Pruning
from goclaw.providers.messages import ModelMessage, ToolCall
from goclaw.runtime.pruning import CLEARED, pruned

RULES = Pruning(min_prunable_chars=0)


def conversation(results: int, chars: int) -> list[ModelMessage]:
    told = [ModelMessage("system", "Write."), ModelMessage("user", "Look.")]
    for number in range(results):
        call = ToolCall(f"c{number}", "look", "{}")
        told.append(ModelMessage("assistant", "", tool_calls=[call]))
        told.append(ModelMessage("tool", f"{number}" * chars, tool_call_id=call.id))
    return told


def results(messages: list[ModelMessage]) -> list[str]:
    return [message.text for message in messages if message.role == "tool"]


def test_a_short_conversation_stays_as_it_is() -> None:
    told = conversation(6, 5000)
    assert pruned(told, 200_000, RULES) == told


def test_long_old_results_keep_their_ends_and_the_last_ones_all() -> None:
    told = conversation(6, 5000)  # 30,000 characters
    kept = results(pruned(told, 20_000, RULES))
    assert [len(text) == 5000 for text in kept] == [False] * 3 + [True] * 3
    assert kept[0].startswith("0" * 1500 + "\n[… 2000 characters left out")
    assert kept[0].endswith("0" * 1500)
    assert results(told)[0] == "0" * 5000  # what is stored is not touched


def test_beyond_half_of_the_window_whole_results_go_oldest_first() -> None:
    told = conversation(10, 5000)
    kept = results(pruned(told, 15_000, RULES))
    cleared = [text == CLEARED for text in kept]
    assert cleared == sorted(cleared, reverse=True)
    assert 0 < sum(cleared) < 7
    assert sum(map(len, kept)) < 15_000 * 4 * 0.5


def test_little_to_save_is_not_worth_losing_results() -> None:
    kept = results(pruned(conversation(10, 5000), 15_000, Pruning()))
    assert CLEARED not in kept


def test_it_can_be_switched_off() -> None:
    told = conversation(10, 5000)
    assert pruned(told, 100, Pruning(enabled=False)) == told


@given(
    st.integers(0, 12),
    st.integers(0, 9000),
    st.integers(1, 40_000),
    st.builds(
        Pruning,
        keep_last_assistants=st.integers(0, 5),
        head_chars=st.integers(0, 3000),
        tail_chars=st.integers(0, 3000),
        max_chars=st.integers(0, 6000),
        min_prunable_chars=st.integers(0, 60_000),
    ),
)
def test_only_results_change_and_none_is_lost(
    count: int, chars: int, window: int, rules: Pruning
) -> None:
    told = conversation(count, chars)
    kept = pruned(told, window, rules)
    assert [(m.role, m.tool_call_id, m.tool_calls) for m in kept] == [
        (m.role, m.tool_call_id, m.tool_calls) for m in told
    ]
    assert [m for m in kept if m.role != "tool"] == [m for m in told if m.role != "tool"]


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("context_pruning", {"max_chars": -1}),
        ("context_pruning", {"soft_trim_ratio": "much"}),
        ("compaction_config", {"max_history_share": 0}),
        ("other_config", {"history_limit": 0}),
        ("other_config", {"history_limit": True}),
    ],
)
def test_rules_that_make_no_sense_are_refused(field: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        AgentPatch.model_validate({field: config})
    AgentPatch.model_validate({field: {"unknown": 1}})
