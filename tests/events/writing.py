"""What the tests write into the log."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from goclaw.events.row import EventRow
from goclaw.models.events import Audience
from goclaw.store.events import Values, append_events, event_values
from goclaw.store.pool import Pool


def event(number: int, topic: str = "agent", **more: Any) -> Values:
    return event_values(
        topic, f"{topic}.changed", Audience.USER, {"number": number, **more}, user_id="ada"
    )


async def write(pool: Pool, *numbers: int, topic: str = "agent") -> None:
    async with pool.acquire() as connection:
        await append_events(connection, [event(number, topic) for number in numbers])


def anyone(_: EventRow) -> bool:
    return True


async def take(source: AsyncIterator[Any], count: int, timeout_s: float = 10) -> list[Any]:
    async with asyncio.timeout(timeout_s):
        return [await anext(source) for _ in range(count)]


async def numbers(source: AsyncIterator[EventRow], count: int, timeout_s: float = 10) -> list[int]:
    return [row.payload["number"] for row in await take(source, count, timeout_s)]


async def nothing_comes(source: AsyncIterator[Any], for_s: float = 0.2) -> bool:
    try:
        await take(source, 1, for_s)
    except TimeoutError:
        return True
    return False
