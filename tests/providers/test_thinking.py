"""How each vendor is asked to think: never in a way the model would refuse."""

from typing import Any

import pytest

from goclaw.providers.messages import ModelMessage, ModelRequest, Thought, ToolCall
from tests.providers.asking import WEATHER
from tests.providers.conftest import OpenClient
from tests.upstream import ScriptedUpstream


@pytest.fixture
def sent(open_type: OpenClient, upstream: ScriptedUpstream) -> Any:
    async def sent(type: str, model: str, level: str | None, **options: Any) -> Any:
        options.setdefault("messages", [ModelMessage("user", "hi")])
        request = ModelRequest(model, thinking_level=level, **options)
        await open_type(type).complete(request)
        return upstream.requests[-1].body

    return sent


KEYS = ("reasoning_effort", "thinking", "reasoning_format", "output_config")


@pytest.mark.parametrize(
    ("type", "model", "level", "told"),
    [
        ("openai_compat", "gpt-5.2", "medium", {"reasoning_effort": "medium"}),
        ("openai_compat", "openai/o3", "low", {"reasoning_effort": "low"}),
        ("openai_compat", "gpt-4o", "high", {}),
        ("openai_compat", "gpt-5.2", "off", {}),
        ("groq", "openai/gpt-oss-120b", "high", {"reasoning_effort": "high"}),
        (
            "groq",
            "qwen/qwen3-32b",
            "low",
            {"reasoning_effort": "default", "reasoning_format": "parsed"},
        ),
        (
            "groq",
            "qwen/qwen3-32b",
            "off",
            {"reasoning_effort": "none", "reasoning_format": "parsed"},
        ),
        ("groq", "llama-3.3-70b-versatile", "high", {}),
        (
            "deepseek",
            "deepseek-chat",
            "medium",
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        ),
        ("deepseek", "deepseek-chat", "off", {"thinking": {"type": "disabled"}}),
        ("mistral", "mistral-small-latest", "low", {"reasoning_effort": "high"}),
        ("mistral", "mistral-small-latest", "off", {"reasoning_effort": "none"}),
        ("mistral", "magistral-medium-latest", "high", {}),
        ("mistral", "mistral-large-latest", "high", {}),
        ("xai", "grok-3-mini", "medium", {"reasoning_effort": "high"}),
        ("xai", "grok-4.7", "medium", {"reasoning_effort": "medium"}),
        ("xai", "grok-4.20-reasoning", "medium", {}),
        ("xai", "grok-4", "high", {}),
        ("ollama", "qwen3", "off", {"reasoning_effort": "none"}),
        ("ollama", "qwen3", "low", {"reasoning_effort": "low"}),
        ("local", "local", "high", {}),
        ("anthropic_native", "claude-3-5-sonnet-20241022", "high", {}),
        ("anthropic_native", "claude-2.1", "high", {}),
        (
            "anthropic_native",
            "claude-sonnet-4-5-20250929",
            "low",
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
        ),
        (
            "anthropic_native",
            "claude-3-7-sonnet-latest",
            "medium",
            {"thinking": {"type": "enabled", "budget_tokens": 10_000}},
        ),
        (
            "anthropic_native",
            "claude-sonnet-4-6",
            "medium",
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "medium"},
            },
        ),
        (
            "anthropic_native",
            "claude-opus-5-5",
            "high",
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "high"},
            },
        ),
        ("anthropic_native", "claude-opus-5-5", "off", {}),
    ],
)
async def test_levels(
    sent: Any, type: str, model: str, level: str, told: dict[str, object]
) -> None:
    body = await sent(type, model, level)
    assert {key: body[key] for key in KEYS if key in body} == told


@pytest.mark.parametrize(
    ("model", "level", "told"),
    [
        ("gemini-2.0-flash", "high", None),
        ("gemini-2.5-flash", "low", {"includeThoughts": True, "thinkingBudget": 4096}),
        ("gemini-2.5-pro", "high", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("gemini-flash-latest", "medium", {"includeThoughts": True, "thinkingBudget": 10_000}),
        ("gemini-2.5-flash", "off", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "off", None),
        ("gemini-3-pro-preview", "low", {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-3-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-3.8-flash", "medium", {"includeThoughts": True, "thinkingLevel": "medium"}),
        ("gemini-2.5-flash-image", "high", None),
        ("gemma-3-27b-it", "high", None),
    ],
)
async def test_geminis_levels(sent: Any, model: str, level: str, told: object) -> None:
    body = await sent("gemini_native", model, level)
    assert body.get("generationConfig", {}).get("thinkingConfig") == told


async def test_no_level_leaves_the_model_alone(sent: Any, provider_type: str) -> None:
    body = await sent(provider_type, "claude-opus-5-5", None)
    assert not set(body) & {*KEYS, "generationConfig"}


async def test_claudes_budget_comes_on_top_of_the_answer(sent: Any) -> None:
    body = await sent("anthropic_native", "claude-sonnet-4-5", "high", max_tokens=8192)
    assert body["max_tokens"] == 8192 + 32_000
    opus = await sent("anthropic_native", "claude-opus-4-1-20250805", "high", max_tokens=8192)
    assert (opus["max_tokens"], opus["thinking"]["budget_tokens"]) == (32_000, 32_000 - 8192)
    full = await sent("anthropic_native", "claude-opus-4-0", "high", max_tokens=32_000)
    assert full["thinking"]["budget_tokens"] < full["max_tokens"] == 32_000


async def test_a_claude_that_thinks_takes_no_temperature(sent: Any) -> None:
    body = await sent("anthropic_native", "claude-sonnet-4-6", "low", temperature=0.3)
    assert "temperature" not in body
    body = await sent("anthropic_native", "claude-sonnet-4-6", None, temperature=0.3)
    assert body["temperature"] == 0.3
    body = await sent("anthropic_native", "claude-opus-5-5", None, temperature=0.3, top_p=0.5)
    assert not {"temperature", "top_p"} & set(body)


@pytest.mark.parametrize("choice", ["required", {"function": {"name": "weather"}}])
async def test_a_claude_with_a_forced_tool_does_not_think(sent: Any, choice: Any) -> None:
    options = {"tools": [WEATHER], "tool_choice": choice, "temperature": 0.3}
    body = await sent("anthropic_native", "claude-sonnet-4-5", "high", **options)
    assert "thinking" not in body
    assert body["temperature"] == 0.3


@pytest.mark.parametrize(
    ("thoughts", "thinks"), [([], False), ([Thought("anthropic", "hm", "s")], True)]
)
async def test_a_turn_whose_thinking_is_lost_is_gone_on_with_without(
    sent: Any, thoughts: list[Thought], thinks: bool
) -> None:
    """A client that posts its history has no signatures; the vendor would refuse the turn."""
    call = ToolCall("a", "weather", "{}")
    messages = [
        ModelMessage("user", "hi"),
        ModelMessage("assistant", tool_calls=[call], thoughts=thoughts),
        ModelMessage("tool", "rain", tool_call_id="a"),
    ]
    body = await sent("anthropic_native", "claude-sonnet-4-5", "high", messages=messages)
    assert ("thinking" in body) is thinks
    messages.append(ModelMessage("user", "and now?"))
    body = await sent("anthropic_native", "claude-sonnet-4-5", "high", messages=messages)
    assert "thinking" in body
