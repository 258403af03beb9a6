"""Traces in OpenTelemetry's messages, named by its conventions for generative AI.

Imported only where traces are exported, as its messages take 50 ms to load.
"""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from typing import Any, Final
from uuid import UUID

import orjson
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from goclaw.models.providers import ProviderType
from goclaw.models.runs import RunStatus
from goclaw.models.traces import SpanType, SpanView, TraceView
from goclaw.security.scrub import Scrubber

VERSION: Final = version("goclaw")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
PROVIDERS: Final = {
    ProviderType.ANTHROPIC_NATIVE: "anthropic",
    ProviderType.OPENAI_COMPAT: "openai",
    ProviderType.GEMINI_NATIVE: "gcp.gemini",
    ProviderType.MISTRAL: "mistral_ai",
    ProviderType.XAI: "x_ai",
}
"""The names the conventions give; the other types are called there as they are here."""

OPERATIONS: Final = {
    SpanType.AGENT: "invoke_agent",
    SpanType.LLM_CALL: "chat",
    SpanType.TOOL_CALL: "execute_tool",
    SpanType.EMBEDDING: "embeddings",
}
CLIENTS: Final = frozenset({SpanType.LLM_CALL, SpanType.EMBEDDING})
TOOL_ERROR: Final = "tool_error"
OTHER: Final = "_OTHER"
MICROSECOND: Final = timedelta(microseconds=1)
IDS: Final = ("traceId", "spanId", "parentSpanId")
"""In JSON they are hexadecimal, unlike other bytes."""

Plain = str | int | float | Sequence[str] | None


class Otlp:
    """Makes the bodies that a collector takes. Every text passes the scrubber; beginnings of
    contents go along `with_contents`. May be used in a thread.
    """

    def __init__(
        self, protocol: str, service: str, instance: str, scrubber: Scrubber, *, with_contents: bool
    ) -> None:
        self._is_json = protocol == "http/json"
        self.media_type = "application/json" if self._is_json else "application/x-protobuf"
        self._scrubber = scrubber
        self._with_contents = with_contents
        self._resource = {
            "service.name": service,
            "service.version": VERSION,
            "service.instance.id": instance,
        }

    def pack(self, traces: Iterable[tuple[TraceView, Sequence[SpanView]]]) -> bytes:
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.extend(self._attributes(self._resource))
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "goclaw", VERSION
        for trace, spans in traces:
            scope.spans.extend(self._span(trace, span) for span in spans)
        if not self._is_json:
            return request.SerializeToString()
        return _as_json(request)

    def rejected(self, answer: bytes) -> int:
        """How many spans the collector says it did not take of those it was sent."""
        response = ExportTraceServiceResponse()
        try:
            if self._is_json:
                ParseDict(orjson.loads(answer or b"{}"), response, ignore_unknown_fields=True)
            else:
                response.ParseFromString(answer)
        except (DecodeError, ParseError, orjson.JSONDecodeError):
            return 0  # it took them, whatever it says
        return response.partial_success.rejected_spans

    def _span(self, trace: TraceView, span: SpanView) -> Span:
        ended = span.end_time or trace.end_time or span.start_time
        message = Span(
            trace_id=trace.id.bytes,
            span_id=span_id(span.id),
            parent_span_id=b"" if span.parent_span_id is None else span_id(span.parent_span_id),
            name=self._scrubber.scrub(_name(span)),
            kind=Span.SPAN_KIND_CLIENT if span.span_type in CLIENTS else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=_ns(span.start_time),
            end_time_unix_nano=_ns(ended),
        )
        message.attributes.extend(self._attributes(self._told(trace, span)))
        for attempt in _metadata(span).get("attempts") or ():
            self._add_attempt(message, attempt)
        if span.status == RunStatus.ERROR:
            text = span.error if self._with_contents else error_type(span)
            message.status.code = Status.STATUS_CODE_ERROR
            message.status.message = self._scrubber.scrub(text or "")
        return message

    def _add_attempt(self, message: Span, attempt: dict[str, Any]) -> None:
        """A model call that was made more than once, or of more than one provider."""
        event = message.events.add()
        event.name = "goclaw.attempt"
        event.time_unix_nano = _ns(datetime.fromisoformat(attempt["started_at"]))
        told = {
            "goclaw.provider.name": attempt["provider"],
            "gen_ai.request.model": attempt["model"],
            "error.type": attempt["code"],
            "http.response.status_code": attempt["status"],
            "goclaw.duration_s": attempt["duration_s"],
            "goclaw.wait_s": attempt["wait_s"],
        }
        event.attributes.extend(self._attributes(told))

    def _told(self, trace: TraceView, span: SpanView) -> dict[str, Plain]:
        told: dict[str, Plain] = {
            "gen_ai.operation.name": OPERATIONS.get(span.span_type),
            "gen_ai.conversation.id": _id(trace.session_id),
            "gen_ai.agent.id": _id(span.agent_id),
            "goclaw.status": str(span.status),
            "error.type": error_type(span) if span.status == RunStatus.ERROR else None,
        }
        match span.span_type:
            case SpanType.AGENT:
                told |= _of_agent(trace, span)
            case SpanType.TOOL_CALL:
                told |= _of_tool(span)
            case _:
                told |= _of_model(span)
        return told | self._contents(span)

    def _contents(self, span: SpanView) -> dict[str, Plain]:
        if not self._with_contents:
            return {}
        if span.span_type == SpanType.TOOL_CALL:
            return {
                "gen_ai.tool.call.arguments": span.input_preview,
                "gen_ai.tool.call.result": span.output_preview,
            }
        return {
            "gen_ai.input.messages": _messages("user", span.input_preview),
            "gen_ai.output.messages": _messages("assistant", span.output_preview),
        }

    def _attributes(self, told: Mapping[str, Plain]) -> Iterable[KeyValue]:
        """Those that are known."""
        for key, value in told.items():
            if value is not None:
                yield KeyValue(key=key, value=self._value(value))

    def _value(self, value: Plain) -> AnyValue:
        match value:
            case str():
                return AnyValue(string_value=self._scrubber.scrub(value))
            case int():
                return AnyValue(int_value=value)
            case float():
                return AnyValue(double_value=value)
        return AnyValue(array_value=ArrayValue(values=[self._value(item) for item in value or ()]))


def span_id(id: UUID) -> bytes:
    """The last eight bytes, in which a UUID of version 7 is random; a trace's id is its UUID."""
    return id.bytes[8:]


def error_type(span: SpanView) -> str:
    """A code, never a text: of an error that is told in words only where contents are stored."""
    if span.span_type == SpanType.TOOL_CALL:
        return TOOL_ERROR
    code = _metadata(span).get("error_code") or span.error or ""
    return code if code.isidentifier() else OTHER


def _of_agent(trace: TraceView, span: SpanView) -> dict[str, Plain]:
    """Sums have names of their own, as whoever adds up the spans would count them twice."""
    return {
        "gen_ai.agent.name": span.name,
        "user.id": trace.user_id,
        "goclaw.run.id": _id(trace.run_id),
        "goclaw.parent_trace.id": _id(trace.parent_trace_id),
        "goclaw.session.key": trace.session_key,
        "goclaw.channel": trace.channel,
        "goclaw.total.input_tokens": trace.total_input_tokens,
        "goclaw.total.output_tokens": trace.total_output_tokens,
        "goclaw.total.cost_usd": _usd(trace.total_cost_usd),
    }


def _of_tool(span: SpanView) -> dict[str, Plain]:
    return {
        "gen_ai.tool.name": span.tool_name,
        "gen_ai.tool.call.id": span.tool_call_id,
        "gen_ai.tool.type": "function",
    }


def _of_model(span: SpanView) -> dict[str, Plain]:
    more = _metadata(span)
    first_ms = more.get("first_token_ms")
    return {
        "gen_ai.provider.name": _provider(more.get("provider_type")),
        "goclaw.provider.name": span.provider,
        "goclaw.step": None if span.name == span.model else span.name,
        "gen_ai.request.model": span.model,
        "gen_ai.response.model": more.get("response_model"),
        "gen_ai.response.finish_reasons": [span.finish_reason] if span.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": None if first_ms is None else first_ms / 1000,
        "gen_ai.usage.input_tokens": span.input_tokens,
        "gen_ai.usage.output_tokens": span.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": more.get("cached_tokens"),
        "gen_ai.usage.cache_write.input_tokens": more.get("cache_write_tokens"),
        "gen_ai.usage.reasoning.output_tokens": more.get("reasoning_tokens"),
        "goclaw.cost_usd": _usd(span.cost_usd),
    }


def _name(span: SpanView) -> str:
    operation = OPERATIONS.get(span.span_type)
    subject = span.model if span.span_type in CLIENTS else span.name
    return " ".join(filter(None, (operation, subject))) or span.name


def _provider(kind: str | None) -> str | None:
    if kind is None:
        return None
    return PROVIDERS.get(ProviderType(kind), kind) if kind in set(ProviderType) else kind


def _metadata(span: SpanView) -> dict[str, Any]:
    return span.metadata or {}


def _messages(role: str, text: str | None) -> str | None:
    if text is None:
        return None
    message = {"role": role, "parts": [{"type": "text", "content": text}]}
    return orjson.dumps([message]).decode()


def _id(id: UUID | None) -> str | None:
    return None if id is None else str(id)


def _usd(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)


def _ns(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND * 1000


def _as_json(request: ExportTraceServiceRequest) -> bytes:
    body = MessageToDict(request, use_integers_for_enums=True)
    for resource in body["resourceSpans"]:
        for span in resource["scopeSpans"][0].get("spans", ()):
            for name in IDS:
                if name in span:
                    span[name] = b64decode(span[name]).hex()
    return orjson.dumps(body)
