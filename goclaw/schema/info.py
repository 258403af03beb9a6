"""What a resolver is told about its call."""

from collections.abc import Awaitable
from copy import copy
from typing import TypeVar

from strawberry import UNSET
from strawberry.types.info import Info as StrawberryInfo

from goclaw.core.errors import NotFound
from goclaw.resolvers.context import Context

T = TypeVar("T")


class Info(StrawberryInfo[Context, None]):
    """`context` is the call of the caller."""


def with_key(ctx: Context, idempotency_key: str | None) -> Context:
    """The same call under the idempotency key of one mutation, where it names one."""
    if idempotency_key is None or idempotency_key is UNSET:
        return ctx
    ctx = copy(ctx)
    ctx.idempotency_key = idempotency_key
    return ctx


async def or_none(call: Awaitable[T]) -> T | None:
    """None for a row that is gone or not the caller's to see."""
    try:
        return await call
    except NotFound:
        return None
