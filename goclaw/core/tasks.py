import asyncio
from collections.abc import Collection
from typing import Any, Final

AGAIN_S: Final = 1.0
"""After which a task is cancelled once more: in Python 3.11 a cancellation gets lost where it comes
together with what is waited for under a limit of time, as in Redis' client.
"""


async def cancelled(tasks: "Collection[asyncio.Task[Any]]") -> None:
    """Returns when all of them have ended, however they did."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
