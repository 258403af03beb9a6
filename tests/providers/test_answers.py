"""What every provider type makes of an answer, whole or as a stream."""

import pytest

from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Thought
from tests.providers.asking import WEATHER, Way, ask, both_ways, streamed
from tests.providers.conftest import OpenClient
from tests.upstream import ScriptedUpstream, Usage, call


@both_ways
async def test_text_finish_and_usage(
    client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.reply("Grüße, 世界 🌍!", usage=Usage(20, 9, 5), usage_unasked=True)
    reply = await way(client, ask())
    assert (reply.content, reply.finish_reason) == ("Grüße, 世界 🌍!", "stop")
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (20, 9)
    assert reply.usage.cached_tokens == 5
    assert upstream.requests[0].stream is (way is streamed)


async def test_the_vendors_model_name_is_told(client: ModelClient) -> None:
    assert (await client.complete(ask())).model == "scripted-small"


@both_ways
async def test_thinking_is_apart(client: ModelClient, upstream: ScriptedUpstream, way: Way) -> None:
    upstream.reply("42", thinking="six times seven")
    reply = await way(client, ask())
    assert (reply.thinking, reply.content) == ("six times seven", "42")


@both_ways
async def test_parallel_calls_with_arguments_in_pieces(
    client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    calls = (
        call("weather", "call_a", city="Zürich", days=[1, 2]),
        call("weather", "call_b", pieces=7, city="Bern"),
        call("now", "call_c"),
    )
    upstream.reply(calls=calls)
    reply = await way(client, ask(tools=[WEATHER]))
    assert reply.finish_reason == "tool_calls"
    assert [(c.id, c.name) for c in reply.tool_calls] == [(c.id, c.name) for c in calls]
    got = [c.arguments.replace(" ", "") for c in reply.tool_calls]
    assert got == [c.arguments.replace(" ", "") for c in calls]


@both_ways
@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_finish_reasons(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, finish: str
) -> None:
    upstream.reply("cut", finish=finish)
    assert (await way(client, ask())).finish_reason == finish


async def test_no_usage_is_not_zero(open_type: OpenClient, upstream: ScriptedUpstream) -> None:
    upstream.reply("x", usage=None)
    upstream.reply("x", usage=None)
    client = open_type("openai_compat")
    assert (await client.complete(ask())).usage is None
    assert (await streamed(client, ask())).usage is None


@both_ways
async def test_every_kind_of_token_is_counted(
    provider_type: str, client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.reply(usage=Usage(100, 40, cached=30, reasoning=25, written=20), usage_unasked=True)
    usage = (await way(client, ask())).usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (100, 40, 140)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (30, 25)
    assert usage.cache_write_tokens == (0 if provider_type == "gemini_native" else 20)


@both_ways
async def test_thoughts_are_kept_as_their_vendor_wrote_them(
    provider_type: str, client: ModelClient, upstream: ScriptedUpstream, way: Way
) -> None:
    upstream.reply("42", thinking="six times seven", signature="c2VhbGVk" * 40, redacted="b3BhcXVl")
    reply = await way(client, ask())
    sealed = "c2VhbGVk" * 40
    match provider_type:
        case "anthropic_native":
            assert reply.thoughts == [
                Thought("anthropic", "six times seven", sealed),
                Thought("anthropic", redacted="b3BhcXVl"),
            ]
        case "gemini_native":
            assert reply.thoughts == [Thought("gemini", "six times seven", sealed, chars=2)]
        case _:
            [thought] = reply.thoughts
            assert (thought.wire, thought.text) == ("openai", "six times seven")


@both_ways
async def test_text_before_calls(client: ModelClient, upstream: ScriptedUpstream, way: Way) -> None:
    upstream.reply(said_before="Let me look.", thinking="hm", calls=(call("weather", city="Bern"),))
    reply = await way(client, ask(tools=[WEATHER]))
    assert (reply.content, reply.finish_reason) == ("Let me look.", "tool_calls")
    assert [c.name for c in reply.tool_calls] == ["weather"]
    assert reply.thinking == "hm"


FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "strict": True,
        "schema": {"type": "object", "properties": {"zip": {"type": "integer"}}},
    },
}


@both_ways
@pytest.mark.parametrize("form", [FORM, {"type": "json_object"}])
async def test_an_answer_in_a_form_of_ones_own(
    client: ModelClient, upstream: ScriptedUpstream, way: Way, form: dict[str, object]
) -> None:
    upstream.reply('{"zip": 3000}')
    assert (await way(client, ask(response_format=form))).content == '{"zip": 3000}'
    sent = str(upstream.requests[0].body).lower()
    assert "json" in sent
    if form is FORM:
        assert "zip" in sent
