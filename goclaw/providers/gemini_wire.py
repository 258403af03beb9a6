"""Google's own Gemini API (ai.google.dev/api/generate-content)."""

import re
from mimetypes import guess_type
from typing import ClassVar, Final
from uuid import uuid4

import orjson

from goclaw.core.errors import UpstreamFailed
from goclaw.providers import failures
from goclaw.providers.client import StreamReader
from goclaw.providers.config import ProviderConfig
from goclaw.providers.messages import (
    SYSTEM_ROLES,
    Delta,
    ImagePart,
    Json,
    ModelMessage,
    ModelRequest,
    Part,
    ProviderModel,
    Reply,
    ToolCall,
    Usage,
)
from goclaw.providers.wire import WireClient

_MODEL: Final = re.compile(r"(?:(?:models|tunedModels)/)?\w[\w.:-]*")
_SAMPLING: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "stop": "stopSequences",
    "max_tokens": "maxOutputTokens",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_FINISH: Final = {
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
_BROKEN_OFF: Final = ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL")
_MODES: Final = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
# Google's documented stand-in for a call whose signature was lost; models before 3 want none.
_NO_SIGNATURE: Final = "skip_thought_signature_validator"
_SIGNED: Final = re.compile(r"(?:models/)?gemini-(?:[3-9]|\d\d)")


class GeminiWire(WireClient):
    models_path: ClassVar[str] = "/models?pageSize=1000"

    def _path(self, model: str, *, stream: bool) -> str:
        if not _MODEL.fullmatch(model):
            raise UpstreamFailed(
                "upstream_refused", provider=self.name, status=404, reason="not a model's name"
            )
        name = model if "/" in model else f"models/{model}"
        return f"/{name}:streamGenerateContent?alt=sse" if stream else f"/{name}:generateContent"

    def _body(self, request: ModelRequest, model: str, *, stream: bool) -> Json:
        body: Json = {"contents": _turns(request.messages, _SIGNED.match(model) is not None)}
        system = [
            {"text": message.text}
            for message in request.messages
            if message.role in SYSTEM_ROLES and message.text
        ]
        if system:
            body["systemInstruction"] = {"parts": system}
        if generation := _generation(request):
            body["generationConfig"] = generation
        if request.tools:
            declared = [_declaration(tool["function"]) for tool in request.tools]
            body["tools"] = [{"functionDeclarations": declared}]
            if request.tool_choice:
                body["toolConfig"] = {"functionCallingConfig": _mode(request.tool_choice)}
        return body

    def _reply(self, answer: Json) -> Reply:
        reader = _Reader(self._config)
        delta = reader.read_answer(answer)
        if delta is None or not reader.finished:
            raise failures.garbage(self._config, "no candidate")
        return Reply(
            content=delta.text,
            thinking=delta.thinking,
            tool_calls=[_tool_call(call) for call in delta.tool_calls or ()],
            finish_reason=delta.finish_reason or "stop",
            usage=delta.usage,
            model=answer.get("modelVersion") or "",
        )

    def _reader(self) -> StreamReader:
        return _Reader(self._config)

    def _models(self, answer: Json) -> list[ProviderModel]:
        return [
            ProviderModel(
                id := model["name"].removeprefix("models/"),
                model.get("displayName") or id,
                model.get("inputTokenLimit"),
            )
            for model in answer.get("models") or ()
            if "generateContent" in model.get("supportedGenerationMethods", ("generateContent",))
        ]


class _Reader:
    """Every event is a whole answer of its own; there is no closing mark, only a finish reason."""

    __slots__ = ("_calls", "_config", "done", "finished")

    def __init__(self, config: ProviderConfig) -> None:
        self.done = False
        self.finished = False
        self._config = config
        self._calls = 0

    def read(self, event: bytes) -> Delta | None:
        answer = orjson.loads(event)
        if error := answer.get("error"):
            raise failures.failed_inside(self._config, error)
        return self.read_answer(answer)

    def read_answer(self, answer: Json) -> Delta | None:
        candidates = answer.get("candidates")
        if not candidates:
            return self._blocked(answer)
        candidate = candidates[0]
        delta = Delta()
        calls = []
        for part in (candidate.get("content") or {}).get("parts") or ():
            if "functionCall" in part:
                calls.append(self._call(part))
            elif part.get("thought"):
                delta.thinking += part.get("text") or ""
            else:
                delta.text += part.get("text") or ""
        delta.tool_calls = calls or None
        if reason := candidate.get("finishReason"):
            delta.finish_reason = self._finish(reason)
        if self.finished:
            delta.usage = _usage(answer.get("usageMetadata"))
        elif not (delta.text or delta.thinking or calls):
            return None
        return delta

    def _blocked(self, answer: Json) -> Delta | None:
        """The prompt was refused, or the counts came by themselves."""
        if (answer.get("promptFeedback") or {}).get("blockReason"):
            self.finished = True
            return Delta(finish_reason="content_filter", usage=_usage(answer.get("usageMetadata")))
        usage = _usage(answer.get("usageMetadata")) if self.finished else None
        return Delta(usage=usage) if usage else None

    def _finish(self, reason: str) -> str:
        if reason in _BROKEN_OFF:
            raise failures.garbage(self._config, reason.lower().replace("_", " "))
        self.finished = True
        return _FINISH.get(reason) or ("tool_calls" if self._calls else "stop")

    def _call(self, part: Json) -> Json:
        call = part["functionCall"]
        index, self._calls = self._calls, self._calls + 1
        arguments = orjson.dumps(call.get("args") or {}).decode()
        out: Json = {
            "index": index,
            "id": call.get("id") or f"call_{uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": call["name"], "arguments": arguments},
        }
        if signature := part.get("thoughtSignature"):
            out["extra_content"] = {"google": {"thought_signature": signature}}
        return out


def _tool_call(call: Json) -> ToolCall:
    function = call["function"]
    return ToolCall(call["id"], function["name"], function["arguments"], call.get("extra_content"))


def _generation(request: ModelRequest) -> Json:
    out: Json = {
        theirs: value
        for ours, theirs in _SAMPLING.items()
        if (value := getattr(request, ours)) is not None
    }
    form = request.response_format or {}
    if form.get("type") in ("json_object", "json_schema"):
        out["responseMimeType"] = "application/json"
    if form.get("type") == "json_schema":
        out["responseJsonSchema"] = form["json_schema"]["schema"]
    return out


def _declaration(function: Json) -> Json:
    out = {"name": function["name"], "description": function.get("description") or ""}
    if parameters := function.get("parameters"):
        out["parametersJsonSchema"] = parameters
    return out


def _mode(choice: str | Json) -> Json:
    if isinstance(choice, dict):
        return {"mode": "ANY", "allowedFunctionNames": [choice["function"]["name"]]}
    return {"mode": _MODES.get(choice, "AUTO")}


def _turns(messages: list[ModelMessage], signed: bool) -> list[Json]:
    """Neighbours of one role become one turn: parallel results must stand together."""
    turns: list[Json] = []
    called: dict[str, str] = {}
    for message in messages:
        if message.role in SYSTEM_ROLES:
            continue
        role = "model" if message.role == "assistant" else "user"
        called.update({call.id: call.name for call in message.tool_calls})
        parts = _parts(message, called, signed)
        if not parts:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"].extend(parts)
        else:
            turns.append({"role": role, "parts": parts})
    return turns


def _parts(message: ModelMessage, called: dict[str, str], signed: bool) -> list[Json]:
    if message.role == "tool":
        id = message.tool_call_id or ""
        name = called.get(id) or message.name or id
        return [
            {"functionResponse": {"id": id, "name": name, "response": {"output": message.text}}}
        ]
    parts = [_part(part) for part in message.parts]
    if message.role == "user" and message.name and parts:
        parts.insert(0, {"text": f"{message.name}:"})
    for position, call in enumerate(message.tool_calls):
        parts.append(_call_out(call, signed=signed and position == 0))
    return parts


def _part(part: Part) -> Json:
    if not isinstance(part, ImagePart):
        return {"text": part.text}
    if found := part.embedded():
        return {"inlineData": {"mimeType": found[0], "data": found[1]}}
    kind = guess_type(part.url.partition("?")[0])[0] or "image/png"
    return {"fileData": {"fileUri": part.url, "mimeType": kind}}


def _call_out(call: ToolCall, *, signed: bool) -> Json:
    """Of parallel calls only the first carries a signature."""
    try:
        arguments = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        arguments = None
    if not isinstance(arguments, dict):
        arguments = {"invalid_json": call.arguments}
    out: Json = {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}
    google = (call.extra or {}).get("google") or {}
    if signature := google.get("thought_signature") or (_NO_SIGNATURE if signed else None):
        out["thoughtSignature"] = signature
    return out


def _usage(usage: Json | None) -> Usage | None:
    """The vendor counts thoughts beside the candidates, and tool results beside the prompt."""
    if not usage:
        return None
    thoughts = usage.get("thoughtsTokenCount") or 0
    return Usage(
        (usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0),
        (usage.get("candidatesTokenCount") or 0) + thoughts,
        usage.get("cachedContentTokenCount") or 0,
        reasoning_tokens=thoughts,
    )
