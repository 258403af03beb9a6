"""Finished traces at an OpenTelemetry collector, as its own messages read them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import SecretStr, ValidationError

from goclaw.app.services import open_services
from goclaw.core.errors import UpstreamFailed
from goclaw.core.host import Host
from goclaw.core.ids import uuid7
from goclaw.core.settings import Settings
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.figures import get_figures
from goclaw.resolvers.services import Services
from goclaw.runtime import collector as collecting
from goclaw.runtime import trace_export
from goclaw.runtime.collector import Collector
from goclaw.runtime.retention import Retention
from goclaw.runtime.rollup import Rollup
from goclaw.runtime.trace_export import TraceExporter
from goclaw.runtime.upkeep import Upkeep
from goclaw.security.outbound import OutboundClient
from goclaw.store.traces import NewSpan, NewTrace
from tests.runtime.acting import Scene, chat, set_scene
from tests.runtime.test_trace_writer import rows
from tests.support.callers import add_agent, add_provider, context
from tests.support.otlp import CollectorDouble, Failure, attributes, running_collector
from tests.upstream import ScriptedUpstream, call

KEY = "collector-key-8f3a1c"
Open = Callable[..., Any]


@pytest.fixture
async def double() -> AsyncIterator[CollectorDouble]:
    async with running_collector() as double:
        yield double


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "INTERVAL_S", 0.01)
    monkeypatch.setattr(trace_export, "FIRST_WAIT_S", 0.01)


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


async def test_the_tree_of_a_run_with_its_times(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    before = datetime.now(UTC)
    async with exporting(host, double) as services:
        scene = await set_scene(services, upstream)
        await act(scene)
        trace, kept = await scene.trace()
        await double.until(traces=1)
    [request] = double.requests
    assert {span.trace_id for span in double.spans} == {trace.id.bytes}
    assert len(double.spans) == len(kept) == 4
    root = by_name(double)["invoke_agent scribe"]
    assert root.parent_span_id == b""
    assert [s.parent_span_id for s in double.spans].count(root.span_id) == 3
    assert len({span.span_id for span in double.spans}) == 4
    for span in kept:
        [sent] = [s for s in double.spans if s.span_id == span.id.bytes[8:]]
        assert span.end_time is not None
        assert sent.start_time_unix_nano == microseconds(span.start_time) * 1000
        assert sent.end_time_unix_nano == microseconds(span.end_time) * 1000
        assert microseconds(before) * 1000 <= sent.start_time_unix_nano
        assert root.start_time_unix_nano <= sent.start_time_unix_nano
        assert sent.end_time_unix_nano <= root.end_time_unix_nano
        assert sent.status.code == Status.STATUS_CODE_UNSET
    resource = attributes(request.resource_spans[0].resource)
    assert resource["service.name"] == "goclaw"
    assert resource["service.instance.id"] == services.runner.worker


def microseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


async def test_names_are_those_of_the_conventions(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    async with exporting(host, double) as services:
        scene = await set_scene(services, upstream)
        await act(scene)
        trace, _ = await scene.trace()
        await double.until(traces=1)
    named = by_name(double)
    agent = attributes(named["invoke_agent scribe"])
    assert agent["gen_ai.operation.name"] == "invoke_agent"
    assert agent["gen_ai.agent.name"] == "scribe"
    assert agent["gen_ai.agent.id"] == str(trace.agent_id)
    assert agent["gen_ai.conversation.id"] == str(trace.session_id)
    assert agent["user.id"] == "ada"
    assert agent["goclaw.status"] == "completed"
    assert "gen_ai.usage.input_tokens" not in agent
    assert agent["goclaw.total.input_tokens"] == 24
    tool = attributes(named["execute_tool weather"])
    assert tool["gen_ai.tool.name"] == "weather"
    assert tool["gen_ai.tool.call.id"] == "call_1"
    assert named["execute_tool weather"].kind == Span.SPAN_KIND_INTERNAL
    model = named["chat scripted-1"]
    assert model.kind == Span.SPAN_KIND_CLIENT
    told = attributes(model)
    assert told["gen_ai.provider.name"] == "openai"
    assert told["goclaw.provider.name"] == "scripted"
    assert told["gen_ai.request.model"] == "scripted-1"
    assert told["gen_ai.response.model"] == "scripted-1"
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (12, 7)
    assert told["gen_ai.usage.cache_read.input_tokens"] == 4
    assert told["gen_ai.response.time_to_first_chunk"] >= 0
    assert "goclaw.cost_usd" not in told  # no price is known


async def test_contents_and_secrets_stay_here(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    async with exporting(host, double) as services:
        await act(await set_scene(services, upstream))
        await double.until(traces=1)
    [body] = double.bodies
    for word in (b"Sunny", b"Rome", b"sk-", KEY.encode(), host.dsn.encode()):
        assert word not in body
    assert double.headers[0]["x-api-key"] == KEY
    assert KEY not in caplog.text


async def test_contents_go_along_where_a_setting_says_so(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    async with exporting(host, double, otlp_contents=True) as services:
        await act(await set_scene(services, upstream))
        await double.until(traces=1)
    told = attributes(by_name(double)["invoke_agent scribe"])
    [asked] = orjson.loads(told["gen_ai.input.messages"])
    assert asked["role"] == "user"
    assert asked["parts"][0]["content"].endswith("is what it is like in Rome?")
    tool = attributes(by_name(double)["execute_tool weather"])
    assert orjson.loads(tool["gen_ai.tool.call.arguments"]) == {"city": "Rome"}
    assert tool["gen_ai.tool.call.result"] == "Sunny in Rome."
    assert KEY.encode() not in double.bodies[0]


async def test_an_agent_that_stores_no_contents_sends_none_either(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    async with exporting(host, double, otlp_contents=True) as services:
        agent = await add_agent(services, await add_provider(services, upstream))
        await services.database.pool.execute(
            "update agents set store_contents = false where id = $1", agent.id
        )
        upstream.reply("Sunny.")
        await (await start_chat(context(services), chat("Is it sunny?"))).reply()
        await double.until(traces=1)
    assert b"unny" not in double.bodies[0]


async def test_a_failure_is_told_by_its_code(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    async with exporting(host, double) as services:
        await add_agent(services, await add_provider(services, upstream, max_attempts=1))
        upstream.fail(500, "the question was: Is it sunny?")
        run = await start_chat(context(services), chat("Is it sunny?"))
        with pytest.raises(UpstreamFailed):
            await run.reply()
        await double.until(traces=1)
    for span in double.spans:
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert span.status.message == "upstream_failed"
        assert attributes(span)["error.type"] == "upstream_failed"
    assert b"sunny" not in double.bodies[0]
    [attempt] = by_name(double)["chat scripted-1"].events
    assert attributes(attempt)["http.response.status_code"] == 500


async def test_nothing_is_sent_of_a_run_that_goes_on(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    async with exporting(host, double) as services:
        scene = await set_scene(services, upstream)
        scene.upstream.reply(calls=(call("wait"),))
        scene.upstream.reply("Done.")
        run = await scene.start()
        going = asyncio.create_task(run.reply())
        await scene.tool_started()
        await services.traces.flush()
        assert exporter_of(services).queued == 0
        scene.bench.gate.set()
        await going
        await double.until(traces=1)
    assert len(double.spans) == 4


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


async def test_what_comes_after_the_end_is_sent_alone(host: Host, double: CollectorDouble) -> None:
    async with exporting(host, double) as services:
        trace, [agent, step] = rows()
        step = step._replace(parent_span_id=agent.id)
        services.traces.add(trace, [agent, step])
        await double.until(traces=1)
        later = step._replace(id=uuid7(), name="compaction")
        services.traces.end(trace, [later])
        await double.until(asked=2)
    assert [len(r.resource_spans[0].scope_spans[0].spans) for r in double.requests] == [2, 1]
    assert double.spans[-1].span_id == later.id.bytes[8:]


async def test_the_trace_of_a_worker_that_died_is_sent_by_whoever_ends_it(
    host: Host, upstream: ScriptedUpstream, double: CollectorDouble
) -> None:
    async with exporting(host, double) as services:
        scene = await set_scene(services, upstream)
        await act(scene)
        trace, _ = await scene.trace()
        await double.until(traces=1)
        pool = services.database.pool
        await pool.execute("update traces set status = 'running', end_time = null")
        await pool.execute("update spans set status = 'running' where parent_span_id is null")
        await pool.execute("update runs set ended_at = ended_at - interval '11 seconds'")
        day = timedelta(days=1)
        upkeep = Upkeep(
            services.database,
            services.runner,
            Rollup(services.database),
            Retention(services.database, services.settings),
            keep_events=day,
            session_idle=day,
            on_ended=services.traces.on_ended,
        )
        beating = asyncio.create_task(upkeep.beat())
        await double.until(asked=2)
        beating.cancel()
    assert [span.trace_id for span in double.spans] == [trace.id.bytes] * 8


async def test_of_two_replicas_the_one_that_wrote_it_sends_it(
    host: Host, double: CollectorDouble
) -> None:
    async with exporting(host, double) as one, exporting(host, double) as other:
        first, _ = write(one)
        second, _ = write(other)
        await double.until(traces=2)
    assert sorted(span.trace_id for span in double.spans) == sorted(
        [first.id.bytes] * 2 + [second.id.bytes] * 2
    )
    assert (exporter_of(one).sent, exporter_of(other).sent) == (1, 1)


async def test_what_became_of_them_is_told_to_operators(
    host: Host, double: CollectorDouble
) -> None:
    double.failures = [Failure(400)]
    async with exporting(host, double) as services:
        write(services)
        await double.until(asked=1)
        write(services)
        await double.until(traces=1)
        await exporter_of(services).flush()
        figures = {figure.name: figure.value for figure in await get_figures(context(services))}
    told = {name: value for name, value in figures.items() if "export" in name}
    assert told == {
        "traces_exported": 1,
        "traces_export_dropped": 1,
        "traces_export_queued": 0,
        "traces_export_failures": 1,
        "spans_export_rejected": 0,
    }


async def test_json_is_what_the_protocol_says(host: Host, double: CollectorDouble) -> None:
    async with exporting(host, double, otlp_protocol="http/json") as services:
        trace, _ = write(services)
        await double.until(asked=1)
    assert double.headers[0]["Content-Type"] == "application/json"
    [resource] = orjson.loads(double.bodies[0])["resourceSpans"]
    span = resource["scopeSpans"][0]["spans"][0]
    assert span["traceId"] == trace.id.hex
    assert len(span["spanId"]) == 16
    assert isinstance(span["startTimeUnixNano"], str)


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


async def test_without_an_address_nothing_is_exported(services: Services) -> None:
    assert services.exporter is None


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
