"""Collectors that are busy, slow, away, or refuse what they are sent."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from goclaw.core.errors import UpstreamFailed
from goclaw.core.host import Host
from goclaw.core.settings import Settings
from goclaw.resolvers.chat import start_chat
from goclaw.runtime import collector as collecting
from goclaw.runtime import trace_export
from goclaw.runtime.collector import Collector
from goclaw.runtime.trace_export import TraceExporter
from goclaw.security.outbound import OutboundClient
from tests.runtime.acting import chat
from tests.runtime.exporting import exporter_of, exporting, write
from tests.runtime.test_trace_writer import rows
from tests.support.callers import add_agent, add_provider, context
from tests.support.otlp import CollectorDouble, Failure
from tests.upstream import ScriptedUpstream

pytestmark = pytest.mark.usefixtures("haste")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_collector_is_asked_again(
    host: Host, double: CollectorDouble, status: int
) -> None:
    double.failures = [Failure(status), Failure(status, {"Retry-After": "0"})]
    async with exporting(host, double) as services:
        write(services)
        await double.until(traces=1)
    assert double.asked == 3
    exporter = exporter_of(services)
    assert (exporter.sent, exporter.dropped, exporter.failures) == (1, 0, 2)


async def test_it_waits_as_long_as_it_is_asked_to(
    host: Host, double: CollectorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with exporting(host, double) as services:
        form = exporter_of(services)._format
        busy = Collector(services.outbound, double.url + "/v1/traces", {})
        exporter = TraceExporter(services.database, busy, form)
        trace, spans = rows()
        services.traces.on_ended = None
        services.traces.add(trace, spans)
        await services.traces.flush()
        double.failures = [
            Failure(429, {"Retry-After": "7"}),
            Failure(503, {"Retry-After": "3000"}),
            Failure(503),
        ]
        exporter.add(trace.id)
        monkeypatch.setattr(trace_export, "sleep", sleep)
        await exporter._send_all()
    asked, capped, own = waited
    assert 7 < asked < 8
    assert capped == trace_export.LONGEST_ASKED_S
    assert own < 1
    assert exporter.sent == 1


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 500])
async def test_what_it_refuses_is_dropped_and_counted(
    host: Host, double: CollectorDouble, status: int
) -> None:
    double.failures = [Failure(status, {"Location": double.url + "/v1/traces"})]
    async with exporting(host, double) as services:
        write(services)
        await double.until(asked=1)
        write(services)
        await double.until(traces=1)
    exporter = exporter_of(services)
    assert double.asked == 2
    assert (exporter.sent, exporter.dropped, exporter.queued) == (1, 1, 0)


async def test_spans_it_rejects_are_counted(host: Host, double: CollectorDouble) -> None:
    double.rejected = 1
    async with exporting(host, double) as services:
        write(services)
        await double.until(traces=1)
    assert exporter_of(services).rejected_spans == 1
    assert double.asked == 1


async def test_a_slow_collector_holds_nobody_up(
    host: Host,
    upstream: ScriptedUpstream,
    double: CollectorDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trace_export, "FLUSH_S", 0.2)
    monkeypatch.setattr(trace_export, "MAX_QUEUED", 3)
    double.failures = [Failure(silent=True)]
    async with exporting(host, double) as services:
        await add_agent(services, await add_provider(services, upstream))
        for _ in range(6):
            upstream.reply("Quick.")
        await (await start_chat(context(services), chat())).reply()
        await double.until(asked=1)
        for _ in range(5):
            await (await start_chat(context(services), chat())).reply()
        await services.traces.flush()
        exporter = exporter_of(services)
        assert (exporter.queued, exporter.dropped) == (3, 3)
        double.failures = [Failure(silent=True)]
    assert (exporter.sent, exporter.dropped) == (0, 6)


async def test_one_that_is_not_there_gets_them_when_it_is(
    host: Host, double: CollectorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exporting(host, double) as services:
        exporter = exporter_of(services)
        here = exporter._collector
        exporter._collector = Collector(services.outbound, "http://127.0.0.1:9/v1/traces", {})
        services.outbound.collect("http://127.0.0.1:9")
        write(services)
        async with asyncio.timeout(10):
            while exporter.failures < 2:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.01)
        services.outbound.collect(double.url)
        exporter._collector = here
        await double.until(traces=1)
    assert exporter.dropped == 0


async def test_one_request_is_not_tried_for_ever(
    host: Host, double: CollectorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_export, "GIVE_UP_S", 0)
    double.failures = [Failure(503)]
    async with exporting(host, double) as services:
        write(services)
        await double.until(asked=1)
        write(services)
        await double.until(traces=1)
    assert (exporter_of(services).sent, exporter_of(services).dropped) == (1, 1)


async def test_the_last_traces_leave_before_the_server_does(
    host: Host, double: CollectorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_export, "INTERVAL_S", 60)
    async with exporting(host, double) as services:
        for _ in range(200):
            write(services, spans=3)
    assert len({span.trace_id for span in double.spans}) == 200
    assert len(double.spans) == 600
    assert len(double.requests) > 1
    assert exporter_of(services).sent == 200


async def test_nobody_else_may_use_the_collectors_address(
    host: Host, double: CollectorDouble
) -> None:
    async with exporting(host, double) as services:
        outbound: OutboundClient = services.outbound
        url = outbound.collector_url
        assert url is not None
        limits = collecting.LIMITS
        with pytest.raises(UpstreamFailed, match="127"):
            await outbound.request("GET", url, headers={}, limits=limits)
        other = url.with_port(9)
        with pytest.raises(UpstreamFailed, match="127"):
            await outbound.request("GET", other, headers={}, limits=limits, collector=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"otlp_endpoint": "127.0.0.1:4318"},
        {"otlp_endpoint": "grpc://127.0.0.1:4317"},
        {"otlp_endpoint": "http://me:secret-word@127.0.0.1:4318"},
        {"otlp_endpoint": "http://127.0.0.1:4318/?key=secret-word"},
        {"otlp_headers": "secret-word"},
        {"otlp_headers": "a=b,secret-word=\n"},
        {"otlp_headers": "a b=secret-word"},
        {"otlp_protocol": "grpc"},
    ],
)
def test_settings_that_cannot_work_are_refused_without_a_word_of_them(
    wrong: dict[str, str], tmp_path: Any
) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(data_dir=tmp_path, **wrong)  # type: ignore[arg-type]
    assert "secret-word" not in str(refused.value)


def test_addresses_and_headers_are_read_as_opentelemetry_writes_them(tmp_path: Any) -> None:
    for given in ("http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"):
        assert Settings(data_dir=tmp_path, otlp_endpoint=given).traces_url == (
            "http://c:4318/v1/traces"
        )
    headers = SecretStr("authorization=Bearer%20abc, x-tenant = one%2Ctwo,")
    assert Settings(data_dir=tmp_path, otlp_headers=headers).collector_headers == {
        "authorization": "Bearer abc",
        "x-tenant": "one,two",
    }
