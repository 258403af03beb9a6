"""An OpenTelemetry collector on loopback that reads what it is sent with OpenTelemetry's own
messages, and fails in the ways collectors do.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

LIMIT_S = 10


@dataclass(frozen=True)
class Failure:
    """An answer that is none; `silent` never answers."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False


@dataclass
class CollectorDouble:
    """`failures` are its next answers; `rejected` spans of each request are said to be refused."""

    url: str = ""
    failures: list[Failure] = field(default_factory=list)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    rejected: int = 0
    _told: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    async def until(self, *, traces: int = 0, asked: int = 0) -> None:
        def there() -> bool:
            return len({s.trace_id for s in self.spans}) >= traces and self.asked >= asked

        async with asyncio.timeout(LIMIT_S), self._told:
            await self._told.wait_for(there)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        failure = self.failures.pop(0) if self.failures else None
        if failure is None:
            self._take(request, body)
        async with self._told:
            self.asked += 1
            self._told.notify_all()
        if failure is None:
            answer = ExportTraceServiceResponse()
            answer.partial_success.rejected_spans = self.rejected
            return web.Response(body=answer.SerializeToString())
        if failure.silent:
            await asyncio.Event().wait()
        return web.Response(status=failure.status, headers=failure.headers, text="no")

    def _take(self, request: web.Request, body: bytes) -> None:
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if request.content_type == "application/x-protobuf":
            self.requests.append(ExportTraceServiceRequest.FromString(body))


def attributes(message: Any) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in message.attributes}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    return getattr(value, kind or "string_value")


@asynccontextmanager
async def running_collector() -> AsyncIterator[CollectorDouble]:
    double = CollectorDouble()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/traces", double.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield double
    finally:
        await runner.cleanup()
