"""How tests ask a model, and what they look at in its errors."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from goclaw.core.errors import GatewayError
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Delta, ModelMessage, ModelRequest, Reply
from goclaw.providers.replies import ReplyBuilder
from tests.providers.conftest import KEY

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


def ask(text: str = "hi", **options: Any) -> ModelRequest:
    return ModelRequest("scripted-small", [ModelMessage("user", text)], **options)


async def bursts(client: ModelClient, request: ModelRequest) -> list[list[Delta]]:
    return [burst async for burst in client.stream(request)]


async def streamed(client: ModelClient, request: ModelRequest) -> Reply:
    builder = ReplyBuilder()
    for burst in await bursts(client, request):
        for delta in burst:
            builder.add(delta)
    return builder.reply()


async def whole(client: ModelClient, request: ModelRequest) -> Reply:
    return await client.complete(request)


Way = Callable[[ModelClient, ModelRequest], Any]
both_ways = pytest.mark.parametrize("way", [whole, streamed])


async def code_of(awaitable: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await awaitable
    assert_keyless(caught.value)
    return caught.value


def assert_keyless(error: BaseException) -> None:
    assert KEY not in "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        assert KEY not in f"{seen} {seen!r} {vars(seen)}"
        seen = seen.__cause__ or seen.__context__
