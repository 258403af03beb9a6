"""Chat completions as OpenAI writes them."""

from typing import Any

from tests.upstream.frames import Frame, frame
from tests.upstream.script import Script, Usage, pieces

_HEAD = {"id": "chatcmpl-scripted", "created": 1_700_000_000}


def frames(script: Script, model: str, asked_usage: bool = True) -> list[Frame]:
    out = [_chunk(script, model, {"role": "assistant", "content": ""})]
    text = script.said_before if script.calls else script.text
    for key, whole in (("reasoning_content", script.thinking), ("content", text)):
        parts = pieces(whole, script.deltas)
        out += [_chunk(script, model, {key: part}, delta=True) for part in parts]
    out += _calls(script, model)
    out.append(_chunk(script, model, {}, finish=script.reason))
    if script.usage and asked_usage:
        body = {**_HEAD, "object": "chat.completion.chunk", "model": model, "choices": []}
        out.append(frame(script, {**body, "usage": usage(script.usage)}))
    out.append(frame(script, "[DONE]"))
    return out


def error_frame(script: Script) -> Frame:
    return frame(script, error(500, script.message or "the model crashed"))


def idle_frames(script: Script, model: str) -> list[Frame]:
    return [Frame(b": keep-alive\n\n"), _chunk(script, model, {"content": ""})]


def _calls(script: Script, model: str) -> list[Frame]:
    """Arguments of parallel calls come in turns, as some vendors send them."""
    out = []
    for index, call in enumerate(script.calls):
        function = {"name": call.name, "arguments": ""}
        head = {"index": index, "id": call.id, "type": "function", "function": function}
        out.append(_chunk(script, model, {"tool_calls": [head]}, delta=True))
    parts = [pieces(call.arguments, call.pieces) for call in script.calls]
    for turn in range(max((len(part) for part in parts), default=0)):
        for index, part in enumerate(parts):
            if turn < len(part):
                piece = {"index": index, "function": {"arguments": part[turn]}}
                out.append(_chunk(script, model, {"tool_calls": [piece]}, delta=True))
    return out


def _chunk(
    script: Script, model: str, step: Any, *, finish: str | None = None, delta: bool = False
) -> Frame:
    choice = {"index": 0, "delta": step, "finish_reason": finish, "logprobs": None}
    body = {**_HEAD, "object": "chat.completion.chunk", "model": model, "choices": [choice]}
    return frame(script, body, delta=delta)


def answer(script: Script, model: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": script.text, "refusal": None}
    if script.thinking:
        message["reasoning_content"] = script.thinking
    if script.calls:
        message["content"] = script.said_before or None
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in script.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": script.reason, "logprobs": None}
    out = {**_HEAD, "object": "chat.completion", "model": model, "choices": [choice]}
    return {**out, "usage": usage(script.usage)} if script.usage else out


def usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.written,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "scripted", "param": None, "code": str(status)}}


def models(names: list[str]) -> dict[str, Any]:
    rows = [
        {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "scripted"}
        for name in names
    ]
    return {"object": "list", "data": rows}
