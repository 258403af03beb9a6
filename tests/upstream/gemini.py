"""generateContent as Google writes it."""

import json
from typing import Any

from tests.upstream.frames import Frame, frame
from tests.upstream.script import Call, Script, Usage, pieces

_FINISH = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}


def frames(script: Script, model: str, asked_usage: bool = True) -> list[Frame]:
    parts = [
        {"text": piece, "thought": True}
        for piece in (pieces(script.thinking, script.deltas) if script.thinking else ())
    ]
    text = script.said_before if script.calls else script.text
    parts += [{"text": piece} for piece in pieces(text, script.deltas)]
    parts += _calls(script)
    out = [frame(script, _answer(model, [part], None, script.usage), delta=True) for part in parts]
    last = _answer(model, [_last(script)], _FINISH[script.reason], script.usage)
    return [*out, frame(script, last)]


def error_frame(script: Script) -> Frame:
    return frame(script, error(500, script.message or "the model crashed"))


def idle_frames(script: Script, model: str) -> list[Frame]:
    return [
        Frame(b": keep-alive\n\n"),
        frame(script, _answer(model, [{"text": ""}], None, script.usage)),
    ]


def _last(script: Script) -> dict[str, Any]:
    """An answer that was thought about ends with a signature, unless a call bears it."""
    signed = script.thinking and not script.calls
    return {"text": "", **({"thoughtSignature": script.signature} if signed else {})}


def _calls(script: Script) -> list[dict[str, Any]]:
    """The first of parallel calls bears the signature."""
    parts = [_call(call) for call in script.calls]
    return [{**part, "thoughtSignature": script.signature} for part in parts[:1]] + parts[1:]


def _call(call: Call) -> dict[str, Any]:
    given = {"id": call.id, "name": call.name, "args": json.loads(call.arguments)}
    return {"functionCall": given}


def _answer(
    model: str, parts: list[Any], finish: str | None, usage: Usage | None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    out: dict[str, Any] = {"candidates": [candidate], "modelVersion": model}
    if usage:
        out["usageMetadata"] = {
            "promptTokenCount": usage.input,
            "candidatesTokenCount": usage.output - usage.reasoning,
            "thoughtsTokenCount": usage.reasoning,
            "cachedContentTokenCount": usage.cached,
            "totalTokenCount": usage.input + usage.output,
        }
    return out


def answer(script: Script, model: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if script.thinking:
        parts.append({"text": script.thinking, "thought": True})
    if text := script.said_before if script.calls else script.text:
        parts.append({"text": text})
    if script.thinking and not script.calls:
        parts.append(_last(script))
    parts += _calls(script)
    return _answer(model, parts, _FINISH[script.reason], script.usage)


def error(status: int, message: str) -> dict[str, Any]:
    names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}
    name = names.get(status, "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL")
    return {"error": {"code": status, "message": message, "status": name}}


def models(names: list[str]) -> dict[str, Any]:
    return {
        "models": [
            {
                "name": f"models/{name}",
                "displayName": name.title(),
                "inputTokenLimit": 1_048_576,
                "supportedGenerationMethods": ["generateContent"],
            }
            for name in names
        ]
    }
