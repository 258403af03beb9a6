"""What signing in by a key costs, and how soon a revoke is known elsewhere."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import Final
from uuid import UUID

from bench.database import create_database
from bench.machine import under_test
from bench.report import Row, at_most
from bench.scene import Scene
from bench.worker import services_on
from goclaw.app import migrate
from goclaw.core.callers import Scope, system_caller
from goclaw.models.api_keys import ApiKeyCreate, CreatedApiKey
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import KEYS, Credential, enter
from goclaw.resolvers.services import Services

CALLS: Final = 20_000
REVOKES: Final = 20
WAIT_S: Final = 10


def admin(services: Services) -> Context:
    return Context(services, system_caller(), "bench")


async def new_key(services: Services) -> CreatedApiKey:
    data = ApiKeyCreate(name="bench", scopes=[Scope.WRITE], user_id="ada")
    return await create_api_key(admin(services), data)


async def trusting(services: Services) -> None:
    async with asyncio.timeout(WAIT_S):
        while not services.trust.holds:  # noqa: ASYNC110 - asking is what keeps it up
            await asyncio.sleep(0.005)


async def sign_in_us(services: Services, token: str, calls: int) -> float:
    """CPU of this process for one call's way in, from the token to its Context."""
    await trusting(services)
    await enter(services, Credential(token), "bench")
    began = process_time()
    for _ in range(calls):
        await enter(services, Credential(token, address="127.0.0.1"), "bench")
    return (process_time() - began) / calls * 1e6


async def seen_after_ms(here: Services, there: Services, heard: "asyncio.Queue[UUID]") -> float:
    """From the revoke call's beginning until the other worker has forgotten the key."""
    key = await new_key(here)
    await trusting(there)
    await enter(there, Credential(key.key), "bench")
    began = perf_counter()
    revoking = asyncio.create_task(revoke_api_key(admin(here), key.id))
    async with asyncio.timeout(WAIT_S):
        while await heard.get() != key.id:
            pass
    took_s = perf_counter() - began
    await revoking
    return took_s * 1e3


def note(heard: "asyncio.Queue[UUID]", ids: Collection[str] | None) -> None:
    for id in ids or ():
        heard.put_nowait(UUID(id))


async def measure_keys(scene: Scene) -> Sequence[Row]:
    dsn = await create_database(scene.dsn, "bench_keys")
    await migrate(dsn)
    heard: asyncio.Queue[UUID] = asyncio.Queue()
    with under_test():
        async with services_on(dsn, scene.folder) as here, services_on(dsn, scene.folder) as there:
            there.trust.on(KEYS, partial(note, heard))
            key = await new_key(here)
            calls = scene.effort.some(CALLS)
            costs_us = [await sign_in_us(here, key.key, calls) for _ in range(scene.effort.rounds)]
            count = scene.effort.rounds * scene.effort.some(REVOKES)
            seen_ms = [await seen_after_ms(here, there, heard) for _ in range(count)]
    return [
        at_most(
            "signing in by a key that is remembered, CPU in process",
            median(costs_us),
            30,
            unit=" us",
            details=f"rounds {min(costs_us):.1f}-{max(costs_us):.1f}",
        ),
        at_most(
            "a revoke is known to the other worker",
            median(seen_ms),
            100,
            unit=" ms",
            details=f"from the beginning of the call, {count} times, slowest {max(seen_ms):.0f} ms",
        ),
    ]
