"""How a conversation reaches each vendor: order, content, thinking, calls and their results."""

from typing import Any

import pytest

from goclaw.providers.client import ModelClient
from goclaw.providers.messages import (
    ImagePart,
    ModelMessage,
    ModelRequest,
    Part,
    TextPart,
    Thought,
    ToolCall,
)
from tests.providers.asking import PIXEL, WEATHER, Way, both_ways
from tests.providers.conftest import OpenClient
from tests.upstream import ScriptedUpstream, call


async def test_the_whole_conversation_reaches_the_vendor(
    provider_type: str, client: ModelClient, upstream: ScriptedUpstream
) -> None:
    """A history with every kind of message, as text: order and content survive on each wire."""
    messages = [
        ModelMessage("system", "Agent prompt."),
        ModelMessage("system", "Client prompt."),
        ModelMessage("user", [TextPart("What is this?"), ImagePart(PIXEL)], name="ada"),
        ModelMessage("assistant", "A pixel."),
        ModelMessage("user", "And the weather?"),
        ModelMessage(
            "assistant",
            tool_calls=[
                ToolCall("call_a", "weather", '{"city":"Bern"}'),
                ToolCall("call_b", "weather", '{"city":"Basel"}'),
            ],
        ),
        ModelMessage("tool", "sunny", tool_call_id="call_a"),
        ModelMessage("tool", "rain", tool_call_id="call_b"),
    ]
    await client.complete(ModelRequest("scripted-small", messages, tools=[WEATHER]))
    sent = str(upstream.requests[0].body)
    order = ["What is this?", PIXEL.partition(",")[2], "A pixel.", "And the weather?"]
    order += ["Bern", "Basel", "sunny", "rain"]
    places = [sent.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)
    assert 0 <= sent.find("Agent prompt.") < sent.find("Client prompt.")
    if provider_type != "mistral":
        assert "ada" in sent


STEP = {
    "thinking": "I need both cities.",
    "said_before": "Let me look.",
    "signature": "c2VhbGVk",
    "calls": (call("weather", "call_a", city="Bern"), call("weather", "call_b", city="Basel")),
}


def results() -> list[ModelMessage]:
    """One that failed, one that shows something."""
    shown: list[Part] = [TextPart("see the chart"), ImagePart(PIXEL)]
    return [
        ModelMessage("tool", "no such city", tool_call_id="call_a", is_error=True),
        ModelMessage("tool", shown, tool_call_id="call_b"),
    ]


@pytest.fixture
def second_step(upstream: ScriptedUpstream, open_type: OpenClient) -> Any:
    """The body of a run's second call: what the first one said goes back with the results."""

    async def second_step(type: str, way: Way, model: str, **script: Any) -> Any:
        client = open_type(type)
        asked = ModelMessage("user", "And the weather?")
        upstream.reply(**(STEP | script))
        request = ModelRequest(model, [asked], tools=[WEATHER], thinking_level="high")
        first = await way(client, request)
        said = ModelMessage(
            "assistant", first.content, tool_calls=first.tool_calls, thoughts=first.thoughts
        )
        request = ModelRequest(
            model, [asked, said, *results()], tools=[WEATHER], thinking_level="high"
        )
        await way(client, request)
        return upstream.requests[-1].body

    return second_step


@both_ways
async def test_anthropic_gets_its_blocks_back_word_for_word(second_step: Any, way: Way) -> None:
    body = await second_step("anthropic_native", way, "claude-sonnet-4-5", redacted="b3BhcXVl")
    said, results = body["messages"][1:]
    assert said["content"] == [
        {"type": "thinking", "thinking": "I need both cities.", "signature": "c2VhbGVk"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Bern"}},
        {"type": "tool_use", "id": "call_b", "name": "weather", "input": {"city": "Basel"}},
    ]
    failed, shown = results["content"]
    assert (failed["content"], failed["is_error"]) == ("no such city", True)
    assert [block["type"] for block in shown["content"]] == ["text", "image"]
    assert "is_error" not in shown
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 32_000}


async def test_anthropic_thinking_between_texts_and_calls(
    open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    calls = [ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")]
    thoughts = [
        Thought("anthropic", "one", "s1"),
        Thought("anthropic", "two", "s2", chars=6),
        Thought("anthropic", "three", "s3", chars=11, calls=1),
        Thought("gemini", "not theirs", "s4", chars=11, calls=2),
        Thought("anthropic", "never sealed", chars=11, calls=2),
    ]
    said = ModelMessage("assistant", "first second", tool_calls=calls, thoughts=thoughts)
    results = [ModelMessage("tool", "1", tool_call_id=call.id) for call in calls]
    request = ModelRequest("claude-opus-4-5", [ModelMessage("user", "go"), said, *results])
    await open_type("anthropic_native").complete(request)
    blocks = upstream.requests[0].body["messages"][1]["content"]
    shown = [block.get("thinking") or block.get("text") or block["name"] for block in blocks]
    assert shown == ["one", "first ", "two", "secon", "f", "three", "d", "g"]


@both_ways
@pytest.mark.parametrize("model", ["gemini-3-pro-preview", "gemini-2.5-flash"])
async def test_gemini_gets_its_signatures_back(second_step: Any, way: Way, model: str) -> None:
    body = await second_step("gemini_native", way, model)
    said, results = body["contents"][1:]
    text, first, second = said["parts"]
    assert text == {"text": "Let me look."}
    assert (first["thoughtSignature"], first["functionCall"]["id"]) == ("c2VhbGVk", "call_a")
    assert "thoughtSignature" not in second
    failed, shown, *beside = results["parts"]
    assert failed["functionResponse"]["response"] == {"error": "no such city"}
    assert shown["functionResponse"]["response"] == {"output": "see the chart"}
    images = shown["functionResponse"]["parts"] if "-3-" in model else beside
    assert images[0]["inlineData"]["mimeType"] == "image/png"


@both_ways
async def test_gemini_gets_the_signature_of_a_text_back(
    open_type: OpenClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.reply("Hello.", thinking="hm", signature="c2VhbGVk")
    client, asked = open_type("gemini_native"), ModelMessage("user", "hi")
    reply = await way(client, ModelRequest("gemini-3-pro", [asked]))
    said = ModelMessage("assistant", reply.content, thoughts=reply.thoughts)
    await way(client, ModelRequest("gemini-3-pro", [asked, said, ModelMessage("user", "on")]))
    parts = upstream.requests[-1].body["contents"][1]["parts"]
    assert parts == [{"text": "Hello."}, {"text": "", "thoughtSignature": "c2VhbGVk"}]


@both_ways
@pytest.mark.parametrize(
    ("type", "echoed"), [("deepseek", True), ("openai_compat", True), ("groq", False)]
)
async def test_thinking_goes_back_with_its_calls_where_it_is_wanted(
    second_step: Any, way: Way, type: str, echoed: bool
) -> None:
    body = await second_step(type, way, "scripted-small")
    _, said, failed, shown, images = body["messages"]
    assert said["content"] == "Let me look."
    assert said.get("reasoning_content") == ("I need both cities." if echoed else None)
    assert failed == {
        "role": "tool",
        "tool_call_id": "call_a",
        "content": "Error: no such city",
    }
    assert shown["content"] == "see the chart"
    assert images["role"] == "user"
    assert [part["type"] for part in images["content"]] == ["text", "image_url"]
    assert "call_b" in images["content"][0]["text"]


async def test_thinking_of_another_wire_stays_here(
    provider_type: str, client: ModelClient, upstream: ScriptedUpstream
) -> None:
    """As after a fallback to another vendor: its seals are nobody else's business."""
    strangers = [Thought(wire, "secret thought", "c2VhbGVk") for wire in ("x", "y")]
    said = ModelMessage("assistant", "Hm.", thoughts=strangers)
    messages = [ModelMessage("user", "hi"), said, ModelMessage("user", "on")]
    await client.complete(ModelRequest("scripted-small", messages))
    sent = str(upstream.requests[0].body)
    assert "secret thought" not in sent
    assert "c2VhbGVk" not in sent
