"""OpenAI's chat completions, which most vendors speak with small differences."""

from operator import attrgetter

from goclaw.providers.client import StreamReader
from goclaw.providers.messages import (
    SYSTEM_ROLES,
    ImagePart,
    Json,
    ModelMessage,
    ModelRequest,
    Part,
    ProviderModel,
    Reply,
    Thought,
    ToolCall,
)
from goclaw.providers.openai_answers import (
    WIRE,
    OpenAIReader,
    content_of,
    finish_of,
    tool_call_of,
    usage_of,
)
from goclaw.providers.structured import schema_of, told_in_words
from goclaw.providers.think_tags import without_tags
from goclaw.providers.wire import WireClient

# Their limit has another name, and some of them accept no temperature.
_REASONING = ("gpt-5", "o1", "o3", "o4")
_NO_TEMPERATURE = ("gpt-5-mini", "gpt-5-nano", "o1", "o3", "o4")
_OPTIONS = (
    "temperature",
    "top_p",
    "stop",
    "max_tokens",
    "response_format",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "user",
    "logprobs",
    "top_logprobs",
)
_TOOL_OPTIONS = ("tools", "tool_choice", "parallel_tool_calls")
_option_values = attrgetter(*_OPTIONS)
_tool_option_values = attrgetter(*_TOOL_OPTIONS)


class OpenAIWire(WireClient):
    def _path(self, model: str, *, stream: bool) -> str:
        return "/chat/completions"

    def _body(self, request: ModelRequest, model: str, *, stream: bool) -> Json:
        body: Json = {"model": model, "messages": self._messages(request.messages)}
        _set(body, _OPTIONS, _option_values(request))
        if request.tools:
            _set(body, _TOOL_OPTIONS, _tool_option_values(request))
        if stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        if request.thinking_level:
            body.update(self._vendor.think(model, request.thinking_level))
        if request.cache_key and self._caches_by_key():
            body["prompt_cache_key"] = request.cache_key
        self._suit(body, model)
        return body

    def _messages(self, messages: list[ModelMessage]) -> list[Json]:
        """A tool message holds text alone: the images of results follow the last of them."""
        named, echoes = "name" not in self._vendor.dropped, self._vendor.echoes
        out: list[Json] = []
        shown: list[Json] = []
        for message in messages:
            if shown and message.role != "tool":
                out.append({"role": "user", "content": shown})
                shown = []
            out.append(_message(message, named, echoes))
            if message.role == "tool" and (images := message.images):
                note = f"Images in the result of tool call {message.tool_call_id}:"
                shown += [{"type": "text", "text": note}, *map(_part, images)]
        if shown:
            out.append({"role": "user", "content": shown})
        return out

    def _caches_by_key(self) -> bool:
        return self._vendor.cache_keys and self._base_url == self._vendor.base_url

    def _suit(self, body: Json, model: str) -> None:
        vendor = self._vendor
        if not vendor.schemas and schema_of(body.get("response_format")) is not None:
            _tell(body["messages"], told_in_words(body["response_format"]))
            body["response_format"] = {"type": "json_object"}
        for option in vendor.dropped:
            body.pop(option, None)
        for ours, theirs in vendor.renamed.items():
            if ours in body:
                body[theirs] = body.pop(ours)
        bare = model.rpartition("/")[2]
        if bare.startswith(_REASONING) and "max_tokens" in body:
            body["max_completion_tokens"] = body.pop("max_tokens")
        if bare.startswith(_NO_TEMPERATURE):
            body.pop("temperature", None)

    def _reply(self, answer: Json) -> Reply:
        choice = answer["choices"][0]
        message = choice["message"]
        text, thinking = content_of(message)
        text, written = without_tags(text)
        thinking += written
        calls = [tool_call_of(call) for call in message.get("tool_calls") or ()]
        return Reply(
            content=text or message.get("refusal") or "",
            thinking=thinking,
            tool_calls=calls,
            thoughts=[Thought(WIRE, thinking)] if thinking else [],
            finish_reason=finish_of(self._config, choice.get("finish_reason"), bool(calls)),
            usage=usage_of(answer.get("usage")),
            model=answer.get("model") or "",
            logprobs=choice.get("logprobs"),
        )

    def _reader(self) -> StreamReader:
        return OpenAIReader(self._config)

    def _models(self, answer: Json) -> list[ProviderModel]:
        return [
            ProviderModel(model["id"], model.get("name") or model["id"], _context_tokens(model))
            for model in answer["data"]
        ]


def _set(body: Json, names: tuple[str, ...], values: tuple[object, ...]) -> None:
    for name, value in zip(names, values, strict=True):
        if value is not None:
            body[name] = value


def _tell(messages: list[Json], text: str) -> None:
    """Behind the system messages at the start, before all that changes."""
    roles = [message["role"] for message in messages]
    place = next((i for i, role in enumerate(roles) if role not in SYSTEM_ROLES), len(roles))
    messages.insert(place, {"role": "system", "content": text})


def _message(message: ModelMessage, named: bool, echoes: bool) -> Json:
    out: Json = {"role": message.role}
    if message.tool_calls:
        out["tool_calls"] = [_call_out(call) for call in message.tool_calls]
        if echoes and (thinking := _echo(message.thoughts)):
            out["reasoning_content"] = thinking
    content = _content_out(message)
    if content or not message.tool_calls:
        out["content"] = content
    if message.role == "tool":
        out["tool_call_id"] = message.tool_call_id
    elif message.name and named:
        out["name"] = message.name
    return out


def _content_out(message: ModelMessage) -> str | list[Json]:
    """A list only where there is an image: not every vendor takes lists of text."""
    if message.role == "tool":
        return _result_out(message)
    if isinstance(message.content, str):
        return message.content
    return [_part(part) for part in message.content] if message.images else message.text


def _result_out(message: ModelMessage) -> str:
    """The wire has no other sign of an error than its text."""
    text = message.text
    if message.is_error and not text.lower().startswith("error"):
        return f"Error: {text}"
    return text


def _echo(thoughts: list[Thought]) -> str:
    return "".join(thought.text for thought in thoughts if thought.wire == WIRE)


def _part(part: Part) -> Json:
    if isinstance(part, ImagePart):
        image = {"url": part.url}
        if part.detail:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    return {"type": "text", "text": part.text}


def _call_out(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    out: Json = {"id": call.id, "type": "function", "function": function}
    if call.extra:
        out["extra_content"] = call.extra
    return out


def _context_tokens(model: Json) -> int | None:
    for key in ("context_window", "max_context_length", "context_length"):
        if isinstance(size := model.get(key), int):
            return size
    return None
