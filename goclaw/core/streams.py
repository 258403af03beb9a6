"""Working with several streams at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Final, TypeVar

T = TypeVar("T")

AHEAD: Final = 16
"""How many items are taken from the sources before the reader asks for them."""


class _End:
    """What a source leaves behind: the error that ended it, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


async def merged(*sources: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Items of all sources in the order they come. An error of one source ends all."""
    queue: asyncio.Queue[T | _End] = asyncio.Queue(AHEAD)
    tasks = [asyncio.create_task(_drain(source, queue)) for source in sources]
    open_sources = len(tasks)
    try:
        while open_sources:
            item = await queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                open_sources -= 1
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(source: AsyncIterator[T], queue: "asyncio.Queue[T | _End]") -> None:
    try:
        async for item in source:
            await queue.put(item)
    except Exception as error:  # noqa: BLE001 - the reader raises it
        await queue.put(_End(error))
    else:
        await queue.put(_End(None))
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
