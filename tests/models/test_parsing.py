from typing import Any

import orjson
import pytest

from goclaw.core.errors import InvalidInput
from goclaw.models.agents import AgentCreate, AgentPatch
from goclaw.models.chat import ChatRequest
from goclaw.models.parsing import parse_json, parse_shape


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({}, "required", "messages"),
        ([], "invalid_input", "body"),
        ({"messages": []}, "invalid_input", "messages"),
        ({"messages": [{"content": "x"}]}, "required", "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_input", "messages.0.content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "invalid_input",
            "messages.0.content",
        ),
        ({"messages": [{"role": "user"}], "temperature": "1"}, "invalid_input", "temperature"),
        ({"messages": [{"role": "user"}], "n": 2}, "invalid_input", "n"),
    ],
)
def test_chat_bodies(data: Any, code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_json(ChatRequest, orjson.dumps(data))
    assert (refused.value.code, refused.value.field) == (code, field)


def test_fields_are_told_by_the_callers_names() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_shape(AgentCreate, {}, rename={"key": "agent_key"})
    assert (refused.value.code, refused.value.field) == ("required", "agent_key")


def test_patches_refuse_unknown_fields() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_shape(AgentPatch, {"colour": "red"})
    assert (refused.value.code, refused.value.field) == ("unknown_field", "colour")


def test_values_are_not_told() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_shape(AgentPatch, {"key": "hunter2 is my password"})
    assert "hunter2" not in str(refused.value)
