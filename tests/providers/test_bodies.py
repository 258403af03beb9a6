"""What differs from vendor to vendor in the bodies sent and the answers read."""

from typing import Any

import orjson
import pytest

from goclaw.core.errors import GatewayError
from goclaw.providers.messages import (
    ImagePart,
    ModelMessage,
    ModelRequest,
    Reply,
    TextPart,
    ToolCall,
)
from goclaw.providers.replies import ReplyBuilder
from tests.providers.conftest import OpenClient
from tests.upstream import ScriptedUpstream, call

TOOL = {
    "type": "function",
    "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
CLOSED = {**SCHEMA, "additionalProperties": False}
FORM = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}


@pytest.fixture
def sent(open_type: OpenClient, upstream: ScriptedUpstream) -> Any:
    async def sent(type: str, model: str = "m", *, stream: bool = False, **options: Any) -> Any:
        options.setdefault("messages", [ModelMessage("user", "hi")])
        client, request = open_type(type), ModelRequest(model, **options)
        if stream:
            async for _ in client.stream(request):
                pass
        else:
            await client.complete(request)
        return upstream.requests[-1].body

    return sent


ALL = {
    "temperature": 1.5,
    "top_p": 0.5,
    "stop": ["END", " "],
    "max_tokens": 77,
    "response_format": FORM,
    "seed": 7,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "tools": [TOOL],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "user": "ada",
    "logprobs": True,
    "top_logprobs": 2,
}


async def test_openai_takes_everything(sent: Any) -> None:
    body = await sent("openai_compat", stream=True, **ALL)
    assert body == {
        **ALL,
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_what_is_not_set_is_not_sent(sent: Any) -> None:
    assert set(await sent("openai_compat", tool_choice="auto")) == {"model", "messages"}
    assert set(await sent("anthropic_native")) == {
        "model",
        "messages",
        "max_tokens",
    }
    assert set(await sent("gemini_native")) == {"contents"}


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5-nano", "openai/o1"])
async def test_reasoning_models(sent: Any, model: str) -> None:
    body = await sent("openai_compat", model, temperature=0.1, max_tokens=9)
    assert "temperature" not in body
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] == 9


async def test_mistral_is_spared_what_it_refuses(sent: Any) -> None:
    messages = [ModelMessage("user", "hi", name="ada")]
    body = await sent("mistral", stream=True, messages=messages, **ALL)
    assert body["random_seed"] == 7
    assert not {"seed", "user", "logprobs", "top_logprobs", "stream_options"} & set(body)
    assert body["messages"] == [{"role": "user", "content": "hi"}]


async def test_groq_is_spared_log_probabilities(sent: Any) -> None:
    assert not {"logprobs", "top_logprobs"} & set(await sent("groq", **ALL))


async def test_text_parts_are_one_text_without_images(sent: Any) -> None:
    messages = [ModelMessage("user", [TextPart("a"), TextPart("b")])]
    body = await sent("groq", messages=messages)
    assert body["messages"] == [{"role": "user", "content": "a\nb"}]


async def test_anthropic(sent: Any) -> None:
    body = await sent("anthropic_native", **ALL)
    assert body["temperature"] == 1.0
    assert "top_p" not in body
    assert body["stop_sequences"] == ["END"]
    assert body["max_tokens"] == 77
    [tool] = body["tools"]
    assert (tool["name"], tool["input_schema"]) == ("now", {"type": "object", "properties": {}})
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert body["metadata"] == {"user_id": "ada"}
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": CLOSED}}
    assert not {"seed", "user", "logprobs", "presence_penalty"} & set(body)


HISTORY = [
    ModelMessage("user", ""),
    ModelMessage("user", [TextPart("see"), ImagePart("https://x.example/a.png?b=1")]),
    ModelMessage("assistant", ""),
    ModelMessage(
        "assistant",
        "calling",
        tool_calls=[ToolCall("a", "f", "{oops"), ToolCall("b", "g", "", {"google": {}})],
    ),
    ModelMessage("tool", "1", tool_call_id="a"),
    ModelMessage("tool", "2", tool_call_id="b"),
    ModelMessage("user", "go on"),
]


async def test_anthropic_history(sent: Any) -> None:
    body = await sent("anthropic_native", messages=HISTORY)
    user, assistant, results = body["messages"]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert user["content"][1]["source"] == {"type": "url", "url": "https://x.example/a.png?b=1"}
    assert [block["type"] for block in assistant["content"]] == ["text", "tool_use", "tool_use"]
    assert assistant["content"][1]["input"] == {"invalid_json": "{oops"}
    assert assistant["content"][2]["input"] == {}
    kinds = [block["type"] for block in results["content"]]
    assert kinds == ["tool_result", "tool_result", "text"]


async def test_gemini(sent: Any, upstream: ScriptedUpstream) -> None:
    body = await sent("gemini_native", "gemini-3-pro", stream=True, **ALL)
    path = "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"
    assert upstream.requests[-1].path == path
    assert body["generationConfig"] == {
        "temperature": 1.5,
        "topP": 0.5,
        "stopSequences": ["END", " "],
        "maxOutputTokens": 77,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    declared = body["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"] == {"type": "object", "properties": {}}


async def test_gemini_history(sent: Any) -> None:
    body = await sent("gemini_native", "gemini-3-pro", messages=HISTORY)
    user, model, results = body["contents"]
    assert user["parts"][1]["fileData"]["mimeType"] == "image/png"
    assert model["parts"][1]["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in model["parts"][2]
    names = [part["functionResponse"]["name"] for part in results["parts"][:2]]
    assert names == ["f", "g"]
    older = await sent("gemini_native", "gemini-2.0-flash", messages=HISTORY)
    assert "thoughtSignature" not in older["contents"][1]["parts"][1]


async def test_gemini_signatures_come_and_go(
    sent: Any, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply(calls=(call("now"),))
    first = await open_type("gemini_native").complete(
        ModelRequest("gemini-3-pro", [ModelMessage("user", "hi")])
    )
    messages = [ModelMessage("user", "hi"), ModelMessage("assistant", tool_calls=first.tool_calls)]
    body = await sent("gemini_native", "gemini-3-pro", messages=messages)
    assert body["contents"][1]["parts"][0]["thoughtSignature"] == "c2lnbmVk"


@pytest.mark.parametrize("model", ["../../v1/steal", "a/b/c", "x?y", "", "models/../x"])
async def test_a_models_name_stays_in_its_place(
    open_type: OpenClient, upstream: ScriptedUpstream, model: str
) -> None:
    client = open_type("gemini_native", default_model=model)
    request = ModelRequest(model, [ModelMessage("user", "hi")])
    if model:
        with pytest.raises(GatewayError):
            await client.complete(request)
        assert upstream.requests == []


def sse(*events: object) -> bytes:
    lines = [event if isinstance(event, bytes) else orjson.dumps(event) for event in events]
    return b"".join(b"data: " + line + b"\n\n" for line in lines)


def step(delta: object, finish: str | None = None, **rest: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **rest}


@pytest.fixture
def read(open_type: OpenClient, upstream: ScriptedUpstream) -> Any:
    async def read(type: str, *events: object) -> Reply:
        upstream.garbage(sse(*events), content_type="text/event-stream")
        builder = ReplyBuilder()
        async for burst in open_type(type).stream(ModelRequest("m", [ModelMessage("user", "hi")])):
            for delta in burst:
                builder.add(delta)
        return builder.reply()

    return read


def fragment(index: int | None, id: str | None, name: str | None, arguments: object) -> Any:
    out: dict[str, Any] = {"function": {"arguments": arguments}}
    if index is not None:
        out["index"] = index
    if id:
        out["id"] = id
    if name:
        out["function"]["name"] = name
    return {"tool_calls": [out]}


@pytest.mark.parametrize(
    "fragments",
    [
        [(3, "a", "f", '{"x":'), (9, "b", "g", "{}"), (3, None, None, "1}")],
        [(None, "a", "f", '{"x":'), (None, None, None, "1}"), (None, "b", "g", "{}")],
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", "{}")],
        [(0, "a", " f ", {"x": 1}), (1, "b", "g", {})],
        [(0, "a", "f", '{"x":'), (0, "a", "f", "1}"), (1, "b", "g", "{}")],
    ],
)
async def test_call_fragments_in_the_forms_vendors_send(read: Any, fragments: list[Any]) -> None:
    events = [step(fragment(*given)) for given in fragments]
    reply = await read("openai_compat", *events, step({}, "stop"), b"[DONE]")
    assert reply.finish_reason == "tool_calls"
    calls = [(call.id, call.name, call.arguments) for call in reply.tool_calls]
    assert calls == [("a", "f", '{"x":1}'), ("b", "g", "{}")] or calls[1][2] == ""


async def test_a_call_without_an_id_gets_one(read: Any) -> None:
    reply = await read("ollama", step(fragment(0, None, "f", "{}")), step({}, "stop"))
    assert reply.tool_calls[0].id.startswith("call_")


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
async def test_reasoning_by_either_name(read: Any, key: str) -> None:
    reply = await read("groq", step({key: "hm"}), step({"content": "x"}, "stop"), b"[DONE]")
    assert (reply.thinking, reply.content) == ("hm", "x")


async def test_mistrals_content_lists(read: Any) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    events = [step({"content": [thought]}), step({"content": [{"type": "text", "text": "x"}]})]
    reply = await read("mistral", *events, step({"content": ""}, "stop"), b"[DONE]")
    assert (reply.thinking, reply.content) == ("hm", "x")


async def test_groqs_usage(read: Any) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    reply = await read("groq", step({"content": "x"}, "stop", x_groq={"usage": usage}), b"[DONE]")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (3, 4)


async def test_xais_reasoning_beside_the_completion(read: Any) -> None:
    details = {"reasoning_tokens": 100}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 107}
    usage["completion_tokens_details"] = details  # type: ignore[assignment]
    reply = await read("xai", step({"content": "x"}, "stop"), {"choices": [], "usage": usage})
    assert (reply.usage.output_tokens, reply.usage.reasoning_tokens) == (104, 100)


async def test_deepseeks_cache(read: Any) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8}
    reply = await read("deepseek", step({"content": "x"}, "stop"), {"usage": usage})
    assert reply.usage.cached_tokens == 8


async def test_a_refusal_is_text(read: Any) -> None:
    reply = await read("openai_compat", step({"refusal": "I won't."}), step({}, "stop"))
    assert reply.content == "I won't."


async def test_done_without_a_finish_reason_ends_the_answer(read: Any) -> None:
    reply = await read("openai_compat", step({"content": "x"}), b"[DONE]")
    assert (reply.content, reply.finish_reason) == ("x", "stop")


@pytest.mark.parametrize("events", [(b"[DONE]",), (b": hm", b"[DONE]")])
async def test_done_alone_is_no_answer(read: Any, events: tuple[bytes, ...]) -> None:
    with pytest.raises(GatewayError) as caught:
        await read("openai_compat", *events)
    assert caught.value.code == "upstream_garbage"


async def test_a_prompt_that_gemini_blocks(
    read: Any, open_type: OpenClient, upstream: ScriptedUpstream
) -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}
    assert (await read("gemini_native", blocked)).finish_reason == "content_filter"
    upstream.garbage(orjson.dumps(blocked), content_type="application/json")
    request = ModelRequest("m", [ModelMessage("user", "hi")])
    reply = await open_type("gemini_native").complete(request)
    assert (reply.finish_reason, reply.content) == ("content_filter", "")


async def test_a_call_that_gemini_could_not_write(read: Any) -> None:
    candidate = {"content": {"parts": []}, "finishReason": "MALFORMED_FUNCTION_CALL"}
    with pytest.raises(GatewayError) as caught:
        await read("gemini_native", {"candidates": [candidate]})
    assert caught.value.code == "upstream_garbage"


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("gemini_native", {"error": {"code": 400, "message": "API key not valid. Please."}}),
        ("xai", {"code": "x", "error": "Incorrect API key provided: sk***."}),
    ],
)
async def test_a_bad_key_called_a_bad_request(
    open_type: OpenClient, upstream: ScriptedUpstream, type: str, body: object
) -> None:
    upstream.garbage(orjson.dumps(body), status=400, content_type="application/json")
    with pytest.raises(GatewayError) as caught:
        await open_type(type).verify("m")
    assert caught.value.code == "upstream_credential"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "too long"}},
        {"error": "too long"},
        {"message": "too long"},
        {"detail": [{"msg": "too long", "loc": ["body"]}]},
        [{"error": {"code": 400, "message": "too long"}}],
        {"object": "error", "message": {"detail": "too long"}},
    ],
)
async def test_reasons_in_the_forms_vendors_send(
    open_type: OpenClient, upstream: ScriptedUpstream, body: object
) -> None:
    upstream.garbage(orjson.dumps(body), status=400, content_type="application/json")
    with pytest.raises(GatewayError) as caught:
        await open_type("openai_compat").verify("m")
    assert caught.value.params["reason"] == "HTTP 400: too long"


async def test_googles_retry_info(open_type: OpenClient, upstream: ScriptedUpstream) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.5s"}
    body = {"error": {"code": 429, "message": "quota", "details": [{"x": 1}, info]}}
    upstream.garbage(orjson.dumps(body), status=429, content_type="application/json")
    with pytest.raises(GatewayError) as caught:
        await open_type("gemini_native").verify("m")
    assert caught.value.retry_after_s == 37


async def test_a_reply_beyond_the_limit(
    open_type: OpenClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goclaw.providers.wire._REPLY_LIMIT_BYTES", 1000)
    upstream.reply("x" * 2000)
    with pytest.raises(GatewayError) as caught:
        await open_type("openai_compat").complete(ModelRequest("m", [ModelMessage("user", "hi")]))
    assert caught.value.code == "upstream_too_large"


async def test_a_line_beyond_the_limit(open_type: OpenClient, upstream: ScriptedUpstream) -> None:
    upstream.garbage(b"data: " + b"x" * (3 << 20), content_type="text/event-stream")
    with pytest.raises(GatewayError) as caught:
        async for _ in open_type("openai_compat").stream(
            ModelRequest("m", [ModelMessage("user", "hi")])
        ):
            pass
    assert caught.value.code == "upstream_garbage"
