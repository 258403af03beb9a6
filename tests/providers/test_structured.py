"""Answers in a form of the caller's own, where the vendor knows it only in part."""

from typing import Any

import pytest
from anthropic import transform_schema

from goclaw.providers.messages import ModelMessage, ModelRequest
from goclaw.providers.structured import closed
from tests.providers.asking import WEATHER
from tests.providers.conftest import OpenClient
from tests.upstream import ScriptedUpstream

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["default", "age"],
    "properties": {
        "default": {"type": "string", "minLength": 2, "description": "A word."},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "when": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 1},
        "either": {"oneOf": [{"type": "string"}, {"type": "null"}]},
    },
    "$defs": {"tag": {"type": "object", "properties": {"name": {"type": "string"}}}},
}
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}


@pytest.fixture
def sent(open_type: OpenClient, upstream: ScriptedUpstream) -> Any:
    async def sent(type: str, model: str, **options: Any) -> Any:
        messages = [ModelMessage("system", "Agent."), ModelMessage("user", "hi")]
        await open_type(type).complete(ModelRequest(model, messages, **options))
        return upstream.requests[-1].body

    return sent


def test_a_schema_is_closed_as_the_vendors_own_client_closes_it() -> None:
    ours, theirs = closed(SCHEMA), transform_schema(SCHEMA)
    assert ours["additionalProperties"] is theirs["additionalProperties"] is False
    assert set(ours["properties"]) == set(theirs["properties"]) == set(SCHEMA["properties"])
    for name, inner in ours["properties"].items():
        known = {key: value for key, value in inner.items() if key != "description"}
        expected = theirs["properties"][name]
        assert known == {key: expected[key] for key in known}
    assert ours["$defs"]["tag"]["additionalProperties"] is False
    assert "150" in ours["properties"]["age"]["description"]
    assert SCHEMA["properties"]["age"] == {"type": "integer", "minimum": 0, "maximum": 150}


async def test_claude_gets_the_schema_or_is_told_in_words(sent: Any) -> None:
    body = await sent("anthropic_native", "claude-sonnet-4-5", response_format=FORM)
    assert body["output_config"]["format"]["schema"] == closed(SCHEMA)
    older = await sent("anthropic_native", "claude-sonnet-4-0", response_format=FORM)
    assert "output_config" not in older
    assert "150" in older["system"][-1]["text"]
    both = await sent(
        "anthropic_native", "claude-opus-5-5", response_format=FORM, thinking_level="low"
    )
    assert set(both["output_config"]) == {"format", "effort"}


async def test_deepseek_is_told_in_words(sent: Any) -> None:
    body = await sent("deepseek", "deepseek-chat", response_format=FORM)
    assert body["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in body["messages"]] == ["system", "system", "user"]
    assert "150" in body["messages"][1]["content"]


async def test_gemini_takes_a_form_with_tools_since_its_third_generation(sent: Any) -> None:
    options = {"response_format": FORM, "tools": [WEATHER]}
    body = await sent("gemini_native", "gemini-2.5-flash", **options)
    assert "generationConfig" not in body
    assert "150" in body["systemInstruction"]["parts"][-1]["text"]
    body = await sent("gemini_native", "gemini-3-pro", **options)
    assert body["generationConfig"]["responseJsonSchema"] == SCHEMA
    body = await sent("gemini_native", "gemini-2.5-flash", response_format=FORM)
    assert body["generationConfig"]["responseJsonSchema"] == SCHEMA


@pytest.mark.parametrize("type", ["openai_compat", "groq", "mistral", "xai", "ollama", "local"])
async def test_the_others_take_it_as_it_is(sent: Any, type: str) -> None:
    assert (await sent(type, "m", response_format=FORM))["response_format"] == FORM
