"""Messages as Anthropic writes them."""

import json
from typing import Any

from tests.upstream.frames import Frame, frame
from tests.upstream.script import Call, Script, Usage, pieces

_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def frames(script: Script, model: str, asked_usage: bool = True) -> list[Frame]:
    start = _message(
        script, model, [], None, {**usage(script.usage or Usage()), "output_tokens": 1}
    )
    out = [_event(script, "message_start", message=start), _event(script, "ping")]
    index = 0
    if script.thinking:
        out += _text_block(script, index, "thinking", script.thinking)
        index += 1
    if script.redacted:
        out += _redacted_block(script, index)
        index += 1
    if text := script.said_before if script.calls else script.text:
        out += _text_block(script, index, "text", text)
        index += 1
    for call in script.calls:
        out += _call_block(script, index, call)
        index += 1
    spent = script.usage or Usage()
    counts = {"output_tokens": spent.output, **_details(spent)}
    delta = {"stop_reason": _STOPS[script.reason], "stop_sequence": None}
    out.append(_event(script, "message_delta", delta=delta, usage=counts))
    out.append(_event(script, "message_stop"))
    return out


def error_frame(script: Script) -> Frame:
    message = script.message or "the model crashed"
    return _event(script, "error", error={"type": "overloaded_error", "message": message})


def idle_frames(script: Script, model: str) -> list[Frame]:
    return [Frame(b": keep-alive\n\n"), _event(script, "ping")]


def _text_block(script: Script, index: int, kind: str, text: str) -> list[Frame]:
    empty = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
    out = [_event(script, "content_block_start", index=index, content_block=empty)]
    for piece in pieces(text, script.deltas):
        delta = {"type": f"{kind}_delta", kind: piece}
        out.append(_step(script, index, delta))
    if kind == "thinking":
        signature = {"type": "signature_delta", "signature": script.signature}
        out.append(_event(script, "content_block_delta", index=index, delta=signature))
    return [*out, _event(script, "content_block_stop", index=index)]


def _redacted_block(script: Script, index: int) -> list[Frame]:
    block = {"type": "redacted_thinking", "data": script.redacted}
    return [
        _event(script, "content_block_start", index=index, content_block=block),
        _event(script, "content_block_stop", index=index),
    ]


def _call_block(script: Script, index: int, call: Call) -> list[Frame]:
    block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
    out = [_event(script, "content_block_start", index=index, content_block=block)]
    parts = ["", *pieces(call.arguments, call.pieces)] if call.arguments != "{}" else [""]
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    out += [_step(script, index, delta) for delta in deltas]
    return [*out, _event(script, "content_block_stop", index=index)]


def _step(script: Script, index: int, delta: dict[str, Any]) -> Frame:
    data = {"type": "content_block_delta", "index": index, "delta": delta}
    return frame(script, data, event="content_block_delta", delta=True)


def _event(script: Script, type: str, **data: Any) -> Frame:
    return frame(script, {"type": type, **data}, event=type)


def _message(
    script: Script, model: str, content: list[Any], stop: str | None, counts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": counts,
    }


def answer(script: Script, model: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if script.thinking:
        thought = {"type": "thinking", "thinking": script.thinking, "signature": script.signature}
        content.append(thought)
    if script.redacted:
        content.append({"type": "redacted_thinking", "data": script.redacted})
    if text := script.said_before if script.calls else script.text:
        content.append({"type": "text", "text": text})
    for call in script.calls:
        given = json.loads(call.arguments)
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": given})
    counts = usage(script.usage or Usage())
    return _message(script, model, content, _STOPS[script.reason], counts)


def usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input - usage.cached - usage.written,
        "output_tokens": usage.output,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.written,
        **_details(usage),
    }


def _details(usage: Usage) -> dict[str, Any]:
    return {"output_tokens_details": {"thinking_tokens": usage.reasoning}}


def error(status: int, message: str) -> dict[str, Any]:
    kinds = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        529: "overloaded_error",
    }
    detail = {"type": kinds.get(status, "api_error"), "message": message}
    return {"type": "error", "error": detail}


def models(names: list[str]) -> dict[str, Any]:
    rows = [
        {
            "type": "model",
            "id": name,
            "display_name": name.title(),
            "created_at": "2026-01-01T00:00:00Z",
        }
        for name in names
    ]
    return {"data": rows, "has_more": False, "first_id": names[0], "last_id": names[-1]}
