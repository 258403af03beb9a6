"""One call as its script has it: the answer, whole or in pieces, or the fault."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import orjson
from aiohttp import web

from tests.upstream.frames import Frame
from tests.upstream.script import Script


@dataclass
class Received:
    """A call as it came in; `wire` is openai, anthropic or gemini."""

    wire: str
    path: str
    headers: dict[str, str]
    body: Any
    stream: bool
    model: str


async def play(
    request: web.Request, wire: ModuleType, script: Script, received: Received
) -> web.StreamResponse:
    if script.silent:
        await asyncio.sleep(3600)
    if script.head_after:
        await asyncio.sleep(script.head_after)
    if script.drop:
        _abort(request)
        return web.Response()
    if script.status != 200 or script.raw is not None:
        return refusal(wire, script)
    if received.stream:
        options = received.body.get("stream_options") or {}
        usage = script.usage_unasked or bool(options.get("include_usage"))
        return await _stream(request, wire, script, received.model, usage)
    body = _answer(wire, script, received.model)
    if script.cut_after is not None:
        return await _cut_body(request, body)
    return web.Response(body=body, content_type="application/json")


@lru_cache(maxsize=256)
def _answer(wire: ModuleType, script: Script, model: str) -> bytes:
    return orjson.dumps(wire.answer(script, model))


@lru_cache(maxsize=256)
def _frames(wire: ModuleType, script: Script, model: str, usage: bool) -> tuple[Frame, ...]:
    out: list[Frame] = []
    deltas = 0
    for frame in wire.frames(script, model, usage):
        if frame.delta:
            if script.cut_after is not None and deltas == script.cut_after:
                return tuple(out)
            if script.error_after is not None and deltas == script.error_after:
                return (*out, wire.error_frame(script))
            deltas += 1
            if script.keep_alives:
                out += wire.idle_frames(script, model)
        out.append(frame)
    return tuple(out)


def refusal(wire: ModuleType, script: Script) -> web.Response:
    if script.raw is not None:
        kind = script.content_type
        return web.Response(
            status=script.status, body=script.raw, content_type=kind, headers=script.headers
        )
    return web.Response(
        status=script.status,
        body=orjson.dumps(wire.error(script.status, script.message)),
        content_type="application/json",
        headers=script.headers,
    )


async def _cut_body(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _abort(request)
    return response


async def _stream(
    request: web.Request, wire: ModuleType, script: Script, model: str, usage: bool
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    while script.beats is not None:
        await response.write(b": keep-alive\n\n")
        await asyncio.sleep(script.beats)
    frames = _frames(wire, script, model, usage)
    if script.burst or script.split:
        await _write_split(response, b"".join(frame.data for frame in frames), script.split)
    else:
        await _write_paced(response, frames, script)
    if script.cut_after is not None and script.abort:
        _abort(request)
        return response
    await response.write_eof()
    return response


async def _write_split(response: web.StreamResponse, data: bytes, size: int | None) -> None:
    step = size or len(data)
    for start in range(0, len(data), step):
        await response.write(data[start : start + step])
        await asyncio.sleep(0)


async def _write_paced(
    response: web.StreamResponse, frames: tuple[Frame, ...], script: Script
) -> None:
    wait = script.first_after
    for frame in frames:
        if frame.delta:
            if wait:
                await asyncio.sleep(wait)
            wait = script.every
        await response.write(frame.data)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
