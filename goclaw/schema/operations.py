"""One operation over a socket: a subscription, or a query or mutation with its one answer."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from graphql import OperationType

from goclaw.core.locales import Locale
from goclaw.resolvers.admission import Admission
from goclaw.resolvers.context import Context
from goclaw.schema.execution import Asked, Payload, document_of, run
from goclaw.schema.streaming import payloads


@asynccontextmanager
async def answers(
    admission: Admission, asked: Asked, locale: Locale
) -> AsyncIterator[AsyncGenerator[Payload, None]]:
    """Raises Refused, and what ended the admission."""
    ctx = admission.context(locale)
    kind = document_of(asked, ctx).kind(asked.operation_name)
    subscribes = kind is OperationType.SUBSCRIPTION
    source = payloads(admission, asked, locale) if subscribes else _once(ctx, asked)
    async with aclosing(source):
        yield source


async def _once(ctx: Context, asked: Asked) -> AsyncGenerator[Payload, None]:
    yield await run(ctx, asked)
