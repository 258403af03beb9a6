"""Finished traces at an OpenTelemetry collector, as its own messages read them."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from goclaw.core.errors import UpstreamFailed
from goclaw.core.host import Host
from goclaw.core.ids import uuid7
from goclaw.resolvers.chat import start_chat
from goclaw.resolvers.figures import get_figures
from goclaw.resolvers.services import Services
from goclaw.runtime.retention import Retention
from goclaw.runtime.rollup import Rollup
from goclaw.runtime.upkeep import Upkeep
from tests.runtime.acting import chat, set_scene
from tests.runtime.exporting import KEY, act, by_name, exporter_of, exporting, write
from tests.runtime.test_trace_writer import rows
from tests.support.callers import add_agent, add_provider, context
from tests.support.otlp import CollectorDouble, Failure, attributes
from tests.upstream import ScriptedUpstream, call

pytestmark = pytest.mark.usefixtures("haste")


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


async def test_without_an_address_nothing_is_exported(services: Services) -> None:
    assert services.exporter is None
