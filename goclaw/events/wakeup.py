import asyncio


class Wakeup:
    """Lets one task sleep until it is woken or its time is up, without a task per sleep."""

    def __init__(self) -> None:
        self._set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, timeout_s: float | None = None) -> None:
        """Takes back what `set` did."""
        if not self._set:
            await self._sleep(timeout_s)
        self._set = False

    async def _sleep(self, timeout_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = None if timeout_s is None else loop.call_later(timeout_s, self.set)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
