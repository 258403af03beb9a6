import asyncio
from contextlib import suppress

from goclaw.events.background import Background


async def test_work_that_misses_a_cancellation_is_stopped_all_the_same() -> None:
    """As a client does that gives it up for a limit of time that passes at the same moment."""
    missed = asyncio.Event()

    async def work() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        missed.set()
        await asyncio.sleep(60)

    background = Background("deaf", work)
    background.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await background.stop()
    assert missed.is_set()
