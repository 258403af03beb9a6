"""A subscription as payloads, whatever carries them."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from typing import Any

from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type
from graphql.execution.collect_fields import collect_fields

from goclaw.core.errors import RateLimited
from goclaw.core.locales import Locale
from goclaw.resolvers.admission import Admission
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import holder_of
from goclaw.schema.documents import CORE_SCHEMA, Document
from goclaw.schema.execution import (
    Asked,
    Payload,
    Refused,
    document_of,
    executor_of,
    show_event,
    source_of,
)
from goclaw.schema.executor import FastExecutor
from goclaw.schema.refusals import shown
from goclaw.security.rates import group_of


async def payloads(
    admission: Admission, asked: Asked, locale: Locale
) -> AsyncGenerator[Payload, None]:
    """Each event is loaded for a caller who was asked about within the last second.

    Raises Refused for what cannot begin, and when the stream ends before its time.
    """
    ctx = admission.context(locale)
    document = document_of(asked, ctx)
    with _place_of(ctx):
        async with aclosing(_payloads(admission, ctx, asked, document)) as source:
            async for payload in source:
                yield payload


@contextmanager
def _place_of(ctx: Context) -> Iterator[None]:
    """Among the subscriptions of the caller. Raises Refused."""
    holder = holder_of(ctx.caller) if ctx.signed_in else "nobody"
    with ExitStack() as stack:
        try:
            places = ctx.services.subscriptions
            stack.enter_context(places.take(address=group_of(ctx.address), credential=holder))
        except RateLimited as error:
            raise Refused([shown(error, ctx)], error.status) from error
        yield


async def _payloads(
    admission: Admission, ctx: Context, asked: Asked, document: Document
) -> AsyncGenerator[Payload, None]:
    executor = executor_of(ctx, asked, document)
    quick = QuickEvents(executor)
    source: Any = await source_of(executor)
    try:
        async for event in source:
            admission.check()
            payload = quick.payload(event)
            if payload is None:
                payload = await show_event(executor, admission.context(ctx.locale), event)
            yield payload
    except GeneratorExit:
        raise
    except Exception as error:
        raise Refused([shown(error, ctx)], 200) from error
    finally:
        await source.aclose()


class QuickEvents:
    """Events of which only plain fields are asked, a run's words above all, without the
    executor: it would cost ten times as much.
    """

    def __init__(self, executor: FastExecutor) -> None:
        self._executor = executor
        self._plans: dict[type, Callable[[Any], Any] | None] = {}
        root = CORE_SCHEMA.subscription_type
        assert root is not None
        fields = collect_fields(
            CORE_SCHEMA, executor.fragments, executor.variable_values, root, executor.operation
        ).grouped_field_set
        self._name, self._details = next(iter(fields.items()))
        self._type = get_named_type(root.fields[self._details[0].node.name.value].type)

    def payload(self, event: object) -> Payload | None:
        """None when it takes the executor."""
        kind = type(event)
        if kind not in self._plans:
            self._plans[kind] = self._plan(event)
        plan = self._plans[kind]
        if plan is None:
            return None
        try:
            return {"data": {self._name: plan(event)}}
        except Exception:  # noqa: BLE001 - the executor finds out what is wrong
            return None

    def _plan(self, event: object) -> Callable[[Any], Any] | None:
        kind = self._kind(event)
        plan = None if kind is None else self._executor.plan_of(kind, self._details)
        return None if plan is None or plan.rest else plan.of_row

    def _kind(self, event: object) -> GraphQLObjectType | None:
        if isinstance(self._type, GraphQLObjectType):
            return self._type
        if not isinstance(self._type, GraphQLUnionType):
            return None
        info: Any = None
        members = self._type.types
        return next((t for t in members if t.is_type_of and t.is_type_of(event, info)), None)
