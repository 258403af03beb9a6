"""Strawberry as its documentation shows it: no caches, the json module."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

Load = Callable[[], Awaitable[Sequence[Any]]]


@strawberry.type
class Agent:
    id: UUID
    key: str
    display_name: str | None
    description: str | None
    owner_id: str
    model: str
    system_prompt: str
    is_default: bool
    context_window: int
    max_output_tokens: int
    created_at: datetime
    updated_at: datetime


@strawberry.type
class Agents:
    nodes: list[Agent]


class Page:
    """Behind `Agents`: rows as the store gives them, so that none is built twice."""

    def __init__(self, nodes: Sequence[Any]) -> None:
        self.nodes = nodes


@strawberry.type
class Query:
    @strawberry.field(graphql_type=Agents)  # type: ignore[untyped-decorator]
    async def agents(self, info: strawberry.Info[Load, None], first: int) -> Page:
        return Page((await info.context())[:first])


SCHEMA = strawberry.Schema(query=Query)


async def answer(query: str, load: Load) -> bytes:
    result = await SCHEMA.execute(query, context_value=load)
    if result.errors:
        raise result.errors[0]
    return json.dumps({"data": result.data}).encode()
