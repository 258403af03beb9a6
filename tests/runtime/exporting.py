"""Services that export their traces, and what they export."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import SecretStr

from goclaw.app.services import open_services
from goclaw.core.host import Host
from goclaw.resolvers.services import Services
from goclaw.runtime.trace_export import TraceExporter
from goclaw.store.traces import NewSpan, NewTrace
from tests.runtime.acting import Scene, chat
from tests.runtime.test_trace_writer import rows
from tests.support.otlp import CollectorDouble
from tests.upstream import call

KEY = "collector-key-8f3a1c"

Open = Callable[..., Any]


@asynccontextmanager
async def exporting(
    host: Host, double: CollectorDouble, **settings: Any
) -> AsyncIterator[Services]:
    settings = {
        "otlp_endpoint": double.url,
        "otlp_headers": SecretStr(f"x-api-key={KEY}"),
    } | settings
    settings_ = host.settings.model_copy(update=settings)
    async with open_services(replace(host, settings=settings_)) as services:
        yield services


def exporter_of(services: Services) -> TraceExporter:
    assert services.exporter is not None
    return services.exporter


def write(services: Services, spans: int = 2) -> tuple[NewTrace, list[NewSpan]]:
    trace, made = rows(spans)
    services.traces.add(trace, made)
    return trace, made


def by_name(double: CollectorDouble) -> dict[str, Span]:
    return {span.name: span for span in double.spans}


async def act(scene: Scene) -> None:
    scene.upstream.reply(calls=(call("weather", city="Rome"),))
    scene.upstream.reply("Sunny.")
    await (await scene.start(chat(KEY + " is what it is like in Rome?"))).reply()
