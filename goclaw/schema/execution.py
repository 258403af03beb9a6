"""Runs one operation of one document for one caller, whatever it came by."""

from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import create_source_event_stream

from goclaw.core.errors import GatewayError, InvalidInput, MethodNotAllowed, Unauthenticated
from goclaw.resolvers.context import Context
from goclaw.schema.documents import CORE_SCHEMA, Document, prepare
from goclaw.schema.executor import FastExecutor
from goclaw.schema.nul import refuse_nul
from goclaw.schema.refusals import INVALID, SYNTAX, Call, shown

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client sent."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """The operation did not begin; `errors` are the entries to show."""

    def __init__(self, errors: list[Payload], status: int = 400) -> None:
        super().__init__(errors)
        self.errors = errors
        self.status = status

    @property
    def payload(self) -> Payload:
        return {"errors": self.errors}


def document_of(asked: Asked, call: Call) -> Document:
    """Raises Refused."""
    try:
        document = prepare(asked.query)
    except GraphQLError as error:
        raise Refused([shown(error, call, code=SYNTAX)]) from error
    except GatewayError as error:
        raise Refused([shown(error, call)], error.status) from error
    if document.errors:
        raise Refused([shown(error, call) for error in document.errors])
    return document


def executor_of(ctx: Context, asked: Asked, document: Document) -> FastExecutor:
    """Raises Refused."""
    executor = FastExecutor.build(
        CORE_SCHEMA,
        document.node,
        context_value=ctx,
        raw_variable_values=asked.variables,
        operation_name=asked.operation_name,
    )
    if isinstance(executor, list):
        raise Refused([shown(error, ctx) for error in executor])
    assert isinstance(executor, FastExecutor)
    executor.document = document
    try:
        refuse_nul(document, asked.variables)
        document.check_cost(executor.operation, executor.variable_values.coerced)
        if document.introspects and not ctx.signed_in:
            raise Unauthenticated("unauthenticated")
    except GatewayError as error:
        status = 200 if isinstance(error, Unauthenticated) else error.status
        raise Refused([shown(error, ctx)], status) from error
    return executor


async def run(ctx: Context, asked: Asked, *, only_queries: bool = False) -> Payload:
    """Raises Refused for what cannot run."""
    document = document_of(asked, ctx)
    kind = document.kind(asked.operation_name)
    if kind is OperationType.SUBSCRIPTION:
        error = InvalidInput("subscription_transport")
        raise Refused([shown(error, ctx)], error.status)
    if only_queries and kind is OperationType.MUTATION:
        refusal = MethodNotAllowed("method_not_allowed", method="GET", allowed="POST")
        raise Refused([shown(refusal, ctx)], refusal.status)
    executor = executor_of(ctx, asked, document)
    result = executor.execute_operation()
    if executor.is_awaitable(result):
        result = await result
    return payload_of(result, ctx)


def payload_of(result: Any, call: Call) -> Payload:
    if not result.errors:
        return {"data": result.data}
    errors = [shown(error, call, code=INVALID) for error in result.errors]
    return {"data": result.data, "errors": errors}


async def source_of(executor: FastExecutor) -> AsyncIterable[Any]:
    """The events of a subscription, before they are shown. Raises Refused."""
    source: Any = create_source_event_stream(executor)
    if executor.is_awaitable(source):
        source = await source
    if isinstance(source, ExecutionResult):
        ctx = executor.context_value
        raise Refused([shown(error, ctx) for error in source.errors or ()], 200)
    return source  # type: ignore[no-any-return]


async def show_event(executor: FastExecutor, ctx: Context, event: Any) -> Payload:
    """One event as the subscription selected it, loaded for `ctx` afresh."""
    one: Any = executor.build_per_event_executor(event)
    one.context_value = ctx
    result = one.execute_operation(False)
    if one.is_awaitable(result):
        result = await result
    return payload_of(result, ctx)
