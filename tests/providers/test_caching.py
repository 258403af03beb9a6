"""What each vendor is told of what it may keep."""

from typing import Any

import pytest

from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import ImagePart, ModelMessage, ModelRequest, TextPart, ToolCall
from goclaw.providers.openai_wire import OpenAIWire
from goclaw.providers.registry import VENDORS, open_client
from goclaw.security.outbound import OutboundClient
from tests.providers.asking import PIXEL, WEATHER, ask
from tests.providers.conftest import KEY, OpenClient
from tests.upstream import ScriptedUpstream

MARK = {"type": "ephemeral"}


def marked(body: Any) -> list[str]:
    """Where the marks are."""
    places = [f"tools.{i}" for i, tool in enumerate(body.get("tools", ())) if marks(tool)]
    places += [f"system.{i}" for i, text in enumerate(body.get("system", ())) if marks(text)]
    for i, turn in enumerate(body["messages"]):
        blocks = turn["content"]
        places += [f"messages.{i}.{j}" for j, block in enumerate(blocks) if marks(block)]
    return places


def marks(block: Any) -> bool:
    return "cache_control" in block


@pytest.fixture
def sent(open_type: OpenClient, upstream: ScriptedUpstream) -> Any:
    async def sent(request: ModelRequest, **settings: object) -> Any:
        await open_type("anthropic_native", **settings).complete(request)
        return upstream.requests[-1].body

    return sent


SYSTEM = [ModelMessage("system", "Agent."), ModelMessage("system", "Client.")]
CALLS = [ToolCall("a", "weather", "{}"), ToolCall("b", "weather", "{}")]
TURNS = [
    ModelMessage("user", [TextPart("see"), ImagePart(PIXEL)]),
    ModelMessage("assistant", "calling", tool_calls=CALLS),
    ModelMessage("tool", "1", tool_call_id="a"),
    ModelMessage("tool", "2", tool_call_id="b"),
]


async def test_claude_keeps_what_all_sessions_share_and_each_step_of_a_run(sent: Any) -> None:
    body = await sent(ModelRequest("m", [*SYSTEM, *TURNS], tools=[WEATHER]))
    assert marked(body) == ["system.0", "system.1", "messages.0.1", "messages.2.1"]
    assert body["system"][0]["cache_control"] == MARK
    one = await sent(ModelRequest("m", [SYSTEM[0], ModelMessage("user", "hi")], tools=[WEATHER]))
    assert marked(one) == ["system.0", "messages.0.0"]


async def test_without_a_system_text_the_tools_are_kept(sent: Any) -> None:
    body = await sent(ModelRequest("m", [ModelMessage("user", "hi")], tools=[WEATHER, WEATHER]))
    assert marked(body) == ["tools.1", "messages.0.0"]


async def test_never_more_marks_than_the_vendor_allows(sent: Any) -> None:
    more = [ModelMessage("user", "on"), ModelMessage("assistant", "ok")] * 5
    body = await sent(ModelRequest("m", [*SYSTEM, *TURNS, *more], tools=[WEATHER] * 3))
    assert len(marked(body)) == 4


async def test_how_long_is_a_setting(sent: Any) -> None:
    body = await sent(ask(), prompt_cache="1h")
    assert body["messages"][0]["content"][0]["cache_control"] == {**MARK, "ttl": "1h"}
    assert marked(await sent(ask(), prompt_cache="off")) == []


async def test_the_cache_key_goes_to_openai_alone(
    open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    for type in VENDORS:
        await open_type(type).complete(ask(cache_key="agent-1"))
        assert "prompt_cache_key" not in upstream.requests[-1].body
    own = open_client(ProviderConfig("mine", "openai_compat", "", KEY), OutboundClient())
    assert isinstance(own, OpenAIWire)
    body = own._body(ask(cache_key="agent-1"), "gpt-5", stream=False)
    assert body["prompt_cache_key"] == "agent-1"


async def test_an_agents_requests_begin_alike(
    provider_type: str, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    """Tools and system text come in the order given, whatever follows them."""
    tools = [
        {"type": "function", "function": {**WEATHER["function"], "name": name}}  # type: ignore[dict-item]
        for name in ("zebra", "apple", "mango")
    ]
    client = open_type(provider_type)
    for text in ("one", "two"):
        messages = [SYSTEM[0], ModelMessage("user", text)]
        await client.complete(ModelRequest("m", messages, tools=tools))
    first, second = (str(received.body.get("tools")) for received in upstream.requests)
    assert first == second
    assert first.find("zebra") < first.find("apple") < first.find("mango")
