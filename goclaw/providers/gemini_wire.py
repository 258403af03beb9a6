"""Google's own Gemini API (ai.google.dev/api/generate-content)."""

import re
from mimetypes import guess_type
from typing import ClassVar, Final

import orjson

from goclaw.core.errors import UpstreamFailed
from goclaw.providers.client import StreamReader
from goclaw.providers.gemini_answers import WIRE, GeminiReader, reply_of
from goclaw.providers.messages import (
    SYSTEM_ROLES,
    ImagePart,
    Json,
    ModelMessage,
    ModelRequest,
    Part,
    ProviderModel,
    Reply,
    ToolCall,
)
from goclaw.providers.structured import schema_of, told_in_words
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
_MODES: Final = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
# Google's documented stand-in for a call whose signature was lost; models before 3 want none.
_NO_SIGNATURE: Final = "skip_thought_signature_validator"
_GENERATION: Final = re.compile(r"(?:models/)?gemini-(\d+(?:\.\d+)?|[a-z-]*latest)")
_LATEST: Final = 2.5
"""What the names that end in -latest can do at least."""
_THINKING: Final = 2.5
_SIGNED: Final = 3.0
_BUDGETS: Final = {"low": 4096, "medium": 10_000, "high": 24_576}


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
        generation = _generation_of(model)
        body: Json = {"contents": _turns(request.messages, generation >= _SIGNED)}
        system = [
            {"text": message.text}
            for message in request.messages
            if message.role in SYSTEM_ROLES and message.text
        ]
        config = _sampling(request) | _thinking(request.thinking_level, model, generation)
        if not request.tools or generation >= _SIGNED:
            config |= _form(request.response_format)
        elif told := told_in_words(request.response_format):
            system.append({"text": told})  # earlier models take tools or a form, not both
        if system:
            body["systemInstruction"] = {"parts": system}
        if config:
            body["generationConfig"] = config
        if request.tools:
            declared = [_declaration(tool["function"]) for tool in request.tools]
            body["tools"] = [{"functionDeclarations": declared}]
            if request.tool_choice:
                body["toolConfig"] = {"functionCallingConfig": _mode(request.tool_choice)}
        return body

    def _reply(self, answer: Json) -> Reply:
        return reply_of(self._config, answer)

    def _reader(self) -> StreamReader:
        return GeminiReader(self._config)

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


def _generation_of(model: str) -> float:
    """3.0 for gemini-3-pro, 0 for what is no Gemini."""
    found = _GENERATION.match(model)
    if found is None:
        return 0.0
    return _LATEST if found[1].endswith("latest") else float(found[1])


def _sampling(request: ModelRequest) -> Json:
    return {
        theirs: value
        for ours, theirs in _SAMPLING.items()
        if (value := getattr(request, ours)) is not None
    }


def _thinking(level: str | None, model: str, generation: float) -> Json:
    """Levels since 3, of which 3 Pro has two; budgets before, which Flash alone may be without."""
    if level is None or generation < _THINKING or "-image" in model:
        return {}
    if level == "off":
        off = generation < _SIGNED and "flash" in model
        return {"thinkingConfig": {"thinkingBudget": 0}} if off else {}
    told: Json = {"includeThoughts": True}
    if generation < _SIGNED:
        told["thinkingBudget"] = _BUDGETS.get(level, _BUDGETS["medium"])
    else:
        coarse = "gemini-3-pro" in model and level == "medium"
        told["thinkingLevel"] = "high" if coarse else level
    return {"thinkingConfig": told}


def _form(form: Json | None) -> Json:
    if form is None or form.get("type") not in ("json_object", "json_schema"):
        return {}
    out: Json = {"responseMimeType": "application/json"}
    if (schema := schema_of(form)) is not None:
        out["responseJsonSchema"] = schema
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
        return _result(message, called, signed)
    parts = [_part(part) for part in message.parts]
    parts += [
        {"text": "", "thoughtSignature": thought.signature}
        for thought in message.thoughts
        if thought.wire == WIRE and thought.signature
    ]
    if message.role == "user" and message.name and parts:
        parts.insert(0, {"text": f"{message.name}:"})
    for position, call in enumerate(message.tool_calls):
        parts.append(_call_out(call, signed=signed and position == 0))
    return parts


def _result(message: ModelMessage, called: dict[str, str], inside: bool) -> list[Json]:
    """Images are part of the result where the model knows that, else they stand beside it."""
    id = message.tool_call_id or ""
    name = called.get(id) or message.name or id
    told = {"error" if message.is_error else "output": message.text}
    result: Json = {"id": id, "name": name, "response": told}
    images = [_part(image) for image in message.images]
    if images and inside:
        result["parts"] = images
        return [{"functionResponse": result}]
    return [{"functionResponse": result}, *images]


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
