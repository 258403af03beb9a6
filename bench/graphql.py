"""The list through GraphQL, in this process: from the query's text to the bytes of the answer."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import process_time
from typing import Any, Final

import orjson

from bench.gateway import USER
from bench.machine import under_test
from bench.peers import strawberry_default
from bench.report import Row, at_least
from bench.rounds import Measure, Measured, alternate
from bench.scene import Scene
from bench.worker import services_on
from goclaw.core.callers import Caller, Scope
from goclaw.core.paging import PageRequest
from goclaw.resolvers.context import Context
from goclaw.resolvers.services import Services
from goclaw.schema.execution import Asked, run
from goclaw.store.agents import agents_page

CALLS: Final = 100
QUERY: Final = (
    "{ agents(first: 50) { nodes { id key displayName description ownerId model systemPrompt "
    "isDefault contextWindow maxOutputTokens createdAt updatedAt } } }"
)
Answer = Callable[[], Awaitable[bytes]]


def context(services: Services) -> Context:
    return Context(services, Caller(frozenset({Scope.READ}), USER), "bench")


async def ours(services: Services) -> bytes:
    return orjson.dumps(await run(context(services), Asked(QUERY)))


async def by_default(services: Services) -> bytes:
    ctx = context(services)

    async def load() -> Sequence[Any]:
        return (await agents_page(ctx.reads, PageRequest(50), None)).rows

    return await strawberry_default.answer(QUERY, load)


async def cpu(answer: Answer, calls: int) -> Measured:
    began = process_time()
    for _ in range(calls):
        await answer()
    return {"cpu": (process_time() - began) / calls * 1e6}


async def measure_graphql(scene: Scene) -> Sequence[Row]:
    await scene.gateway()
    with under_test():
        async with services_on(scene.dsn, scene.folder) as services:
            answers: dict[str, Answer] = {
                "default": partial(by_default, services),
                "gateway": partial(ours, services),
            }
            check(await answers["gateway"](), await answers["default"]())
            calls = scene.effort.some(CALLS)
            variants: dict[str, Measure] = {
                name: partial(cpu, answer, calls) for name, answer in answers.items()
            }
            samples = await alternate(variants, scene.effort.rounds)
    slow, fast = (samples.median(name, "cpu") for name in ("default", "gateway"))
    return [
        at_least(
            "the list through GraphQL in process, default Strawberry / gateway",
            slow / fast,
            6,
            details=f"{slow:.0f} / {fast:.0f} us with the statement, rounds "
            f"{samples.spread('cpu', 'default', 'gateway')}",
        )
    ]


def check(ours: bytes, default: bytes) -> None:
    """Same rows, same fields."""
    rows, peers = (orjson.loads(each)["data"]["agents"]["nodes"] for each in (ours, default))
    assert len(rows) == 50
    assert [(row["id"], list(row)) for row in rows] == [(row["id"], list(row)) for row in peers]
