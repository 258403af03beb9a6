"""Answers and chunks in OpenAI's format (API reference, "Chat completions").

What is the same in every chunk of a stream is rendered once; a piece of text is spliced in.
"""

from typing import Any, Final

import orjson

from goclaw.resolvers.chat import ChatRun, Delta, Reply, Usage

DONE: Final = b"data: [DONE]\n\n"
NO_USAGE: Final = Usage(0, 0)
ROLE: Final = b'{"role":"assistant","content":"","refusal":null}'


def completion_id(run: ChatRun) -> str:
    return f"chatcmpl-{run.id.hex}"


def completion(run: ChatRun, model: str, reply: Reply) -> bytes:
    return orjson.dumps(
        {
            "id": completion_id(run),
            "object": "chat.completion",
            "created": run.created,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": _message(reply),
                    "logprobs": reply.logprobs,
                    "finish_reason": reply.finish_reason or "stop",
                }
            ],
            "usage": usage_of(reply.usage or NO_USAGE),
        }
    )


def _message(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.content if reply.content or not reply.tool_calls else None,
        "refusal": None,
    }
    if reply.thinking:
        message["reasoning_content"] = reply.thinking
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in reply.tool_calls
        ]
    return message


def usage_of(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


class ChunkWriter:
    """The events of one stream. `with_usage`: one more chunk at the end tells the tokens, and
    the others say that they do not.
    """

    __slots__ = ("_close", "_finish", "_head", "_open", "_text_close", "_text_open", "_usage",
                 "_with_usage")  # fmt: skip

    def __init__(self, run: ChatRun, model: str, *, with_usage: bool) -> None:
        constant = {
            "id": completion_id(run),
            "object": "chat.completion.chunk",
            "created": run.created,
            "model": model,
        }
        self._head = b"data: " + orjson.dumps(constant)[:-1]
        self._open = self._head + b',"choices":[{"index":0,"delta":'
        self._text_open = self._open + b'{"content":'
        self._close = b',"usage":null}\n\n' if with_usage else b"}\n\n"
        self._text_close = b'},"finish_reason":null}]' + self._close
        self._with_usage = with_usage
        self._usage = NO_USAGE
        self._finish: str | None = None

    def role(self) -> bytes:
        return self._open + ROLE + b',"finish_reason":null}]' + self._close

    def chunks(self, deltas: list[Delta]) -> bytes:
        """Nothing for deltas that only tell how the stream ends."""
        if len(deltas) == 1:
            return self._chunk(deltas[0])
        return b"".join([self._chunk(delta) for delta in deltas])

    def _chunk(self, delta: Delta) -> bytes:
        if delta.finish_reason is not None:
            self._finish = delta.finish_reason
        if delta.usage is not None:
            self._usage = delta.usage
        if delta.tool_calls or delta.thinking or delta.logprobs:
            return self._rich_chunk(delta)
        if delta.text:
            return self._text_open + orjson.dumps(delta.text) + self._text_close
        return b""

    def _rich_chunk(self, delta: Delta) -> bytes:
        said: dict[str, Any] = {}
        if delta.text:
            said["content"] = delta.text
        if delta.thinking:
            said["reasoning_content"] = delta.thinking
        if delta.tool_calls:
            said["tool_calls"] = delta.tool_calls
        logprobs = b',"logprobs":' + orjson.dumps(delta.logprobs) if delta.logprobs else b""
        return self._open + orjson.dumps(said) + logprobs + b',"finish_reason":null}]' + self._close

    def end(self) -> bytes:
        reason = orjson.dumps(self._finish or "stop")
        finish = self._open + b'{},"finish_reason":' + reason + b"}]" + self._close
        if not self._with_usage:
            return finish + DONE
        usage = b',"choices":[],"usage":' + orjson.dumps(usage_of(self._usage)) + b"}\n\n"
        return finish + self._head + usage + DONE

    @staticmethod
    def failed(error: dict[str, Any]) -> bytes:
        """The last event of a stream that broke: clients raise it, and nobody takes it for an
        answer, as no [DONE] follows.
        """
        return b"data: " + orjson.dumps({"error": error}) + b"\n\n"
