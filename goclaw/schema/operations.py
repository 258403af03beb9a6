"""One operation over a socket: a subscription, or a query or mutation with its one answer."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from graphql import OperationType

from goclaw.resolvers.admission import Admission
from goclaw.schema.execution import Asked, Payload, document_of, run
from goclaw.schema.streaming import payloads


@asynccontextmanager
async def answers(
    admission: Admission, asked: Asked
) -> AsyncIterator[AsyncGenerator[Payload, None]]:
    """Raises Refused, and what ended the admission."""
    ctx = admission.context()
    kind = document_of(asked, ctx.request_id).kind(asked.operation_name)
    subscribes = kind is OperationType.SUBSCRIPTION
    source = payloads(admission, asked) if subscribes else _once(admission, asked)
    async with aclosing(source):
        yield source


async def _once(admission: Admission, asked: Asked) -> AsyncGenerator[Payload, None]:
    yield await run(admission.context(), asked)
