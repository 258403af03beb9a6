"""A lane lets so many through at once, and so many wait."""

import asyncio
from pathlib import Path

import pytest

from goclaw.core.errors import RateLimited
from goclaw.core.settings import Settings
from goclaw.runtime.job_runs import Lane
from goclaw.runtime.lanes import Lanes


@pytest.fixture
def lanes(tmp_path: Path) -> Lanes:
    return Lanes(Settings(data_dir=tmp_path, lane_subagent=2, lane_delegate=1, lane_queue=2))


async def test_no_more_than_its_places_are_taken(lanes: Lanes) -> None:
    inside = most = 0

    async def work() -> None:
        nonlocal inside, most
        async with lanes.place(Lane.SUBAGENT):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(4)))
    assert most == 2


async def test_who_finds_too_many_waiting_is_refused(lanes: Lanes) -> None:
    async with lanes.place(Lane.DELEGATE):
        waiting = [asyncio.create_task(enter(lanes)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited) as refused:
            await enter(lanes)
        assert (refused.value.code, refused.value.retry_after_s) == ("lane_full", 5)
        async with lanes.place(Lane.SUBAGENT):
            """The other lane is free."""
    await asyncio.gather(*waiting)


async def test_who_gives_up_waiting_leaves_room(lanes: Lanes) -> None:
    async with lanes.place(Lane.DELEGATE):
        first, second = (asyncio.create_task(enter(lanes)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        third = asyncio.create_task(enter(lanes))
        await asyncio.sleep(0)
    await asyncio.gather(second, third)


async def enter(lanes: Lanes) -> None:
    async with lanes.place(Lane.DELEGATE):
        await asyncio.sleep(0)
