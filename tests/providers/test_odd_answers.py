"""Whatever stands where in a vendor's answer: it is understood, or refused as garbage, and what
is understood has the form that everything behind relies on.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest

from goclaw.core.errors import GatewayError, UpstreamFailed
from goclaw.core.nuls import without_nuls
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Reply, Usage
from tests.providers.asking import ask, streamed, whole
from tests.providers.conftest import OpenClient
from tests.upstream import Script, ScriptedUpstream, anthropic, call, gemini, openai

WIRES = {"openai_compat": openai, "anthropic_native": anthropic, "gemini_native": gemini}
SAID = Script(
    thinking="Hm.",
    said_before="Let me look.",
    calls=(call("weather", city="Rome", pieces=1),),
    deltas=1,
)
NUMBERS: tuple[Any, ...] = (None, 0, -1, 1.5, 10**18, True)
ODD = (*NUMBERS, "", "a\0b", "\\u0000", [], {}, [7], {"x": 7})
Path = tuple[str | int, ...]

every_wire = pytest.mark.parametrize("provider", WIRES)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Of all that stands in it, at any depth."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield (*path, key)
        if isinstance(member, dict | list):
            yield from places(member, (*path, key))


def with_odd(value: Any, path: Path, odd: Any) -> Any:
    changed = deepcopy(value)
    *way, last = path
    inner = changed
    for key in way:
        inner = inner[key]
    inner[last] = odd
    return changed


def variants(value: Any) -> Iterator[Any]:
    for path in places(value):
        for odd in ODD:
            yield with_odd(value, path, odd)


async def outcome(client: ModelClient, way: Any) -> None:
    try:
        reply = await way(client, ask())
    except GatewayError as error:
        refusal = str(error)
    else:
        refusal = ""
        check(reply)
    assert "\0" not in refusal


def check(reply: Reply) -> None:
    texts = [reply.content, reply.thinking, reply.finish_reason, reply.model]
    for called in reply.tool_calls:
        texts += [called.id, called.name, called.arguments]
    for thought in reply.thoughts:
        texts += [thought.text, thought.signature, thought.redacted]
    assert all(isinstance(text, str) for text in texts), reply
    assert "\0" not in "".join(texts)
    extras = orjson.dumps([called.extra for called in reply.tool_calls])
    assert without_nuls(extras) == extras
    assert reply.logprobs is None or isinstance(reply.logprobs["content"], list)
    if reply.usage is not None:
        counts = [getattr(reply.usage, name) for name in Usage.__dataclass_fields__]
        assert all(type(count) is int and 0 <= count < 2**31 for count in counts), counts


@every_wire
async def test_in_a_whole_answer(
    open_type: OpenClient, upstream: ScriptedUpstream, provider: str
) -> None:
    client, wire = open_type(provider), WIRES[provider]
    for answer in variants(wire.answer(SAID, "scripted-1")):
        raw = json.dumps(answer).encode()
        upstream.queue(Script(raw=raw, content_type="application/json"))
        await outcome(client, whole)


@every_wire
async def test_in_a_stream(
    open_type: OpenClient, upstream: ScriptedUpstream, provider: str
) -> None:
    client, wire = open_type(provider), WIRES[provider]
    frames = [frame.data for frame in wire.frames(SAID, "scripted-1")]
    for place, data in enumerate(frames):
        head, event = parts_of(data)
        for changed in variants(event or {}):
            odd = head + b"data: " + json.dumps(changed).encode() + b"\n\n"
            raw = b"".join([*frames[:place], odd, *frames[place + 1 :]])
            upstream.queue(Script(raw=raw, content_type="text/event-stream"))
            await outcome(client, streamed)


def parts_of(frame: bytes) -> tuple[bytes, Any]:
    """What stands before an event's data, and the data where it is JSON."""
    head, mark, data = frame.partition(b"data: ")
    assert mark
    return head, json.loads(data) if data.startswith(b"{") else None


@every_wire
async def test_in_a_list_of_models(
    open_type: OpenClient, upstream: ScriptedUpstream, provider: str
) -> None:
    client, wire = open_type(provider), WIRES[provider]
    for answer in variants(wire.models(["scripted-1"])):
        raw = json.dumps(answer).encode()
        upstream.queue(Script(raw=raw, content_type="application/json"))
        try:
            models = await client.models()
        except UpstreamFailed:
            continue
        assert all(isinstance(text, str) for model in models for text in (model.id, model.name))
        tokens = [model.context_tokens for model in models if model.context_tokens is not None]
        assert all(type(count) is int and 0 <= count < 2**31 for count in tokens)
