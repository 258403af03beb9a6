import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from goclaw.core.streams import merged


async def counting(name: str, count: int, pause_s: float = 0) -> AsyncIterator[str]:
    for number in range(count):
        await asyncio.sleep(pause_s)
        yield f"{name}{number}"


async def failing() -> AsyncIterator[str]:
    yield "before"
    raise LookupError("broken")


async def test_all_items_come_each_source_in_its_order() -> None:
    items = [item async for item in merged(counting("a", 50), counting("b", 50, 0.0001))]
    assert [i for i in items if i[0] == "a"] == [f"a{n}" for n in range(50)]
    assert [i for i in items if i[0] == "b"] == [f"b{n}" for n in range(50)]


async def test_an_error_of_one_source_ends_all() -> None:
    with pytest.raises(LookupError):
        async for _ in merged(failing(), counting("a", 10**6, 0.001)):
            pass


async def test_leaving_early_closes_every_source() -> None:
    closed = []

    async def source(name: str) -> AsyncIterator[str]:
        try:
            while True:
                yield name
                await asyncio.sleep(0)
        finally:
            closed.append(name)

    async with aclosing(merged(source("a"), source("b"))) as items:
        async for _ in items:
            break
    assert sorted(closed) == ["a", "b"]


async def test_a_reader_that_waits_is_not_run_ahead_of() -> None:
    taken = 0

    async def source() -> AsyncIterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    async with aclosing(merged(source())) as items:
        await anext(items)
        await asyncio.sleep(0.01)
        assert taken < 40
