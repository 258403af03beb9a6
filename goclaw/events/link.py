"""A listening connection that comes back by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from random import uniform
from typing import Final

import structlog

from goclaw.core.errors import GatewayError
from goclaw.events.background import Background
from goclaw.events.ports import Session

log = structlog.get_logger()

FIRST_DELAY_S: Final = 0.05
LONGEST_DELAY_S: Final = 1.0


class Link:
    """`on_return` is called when messages may have been missed: on every connection but one
    that was made at once.
    """

    def __init__(
        self, name: str, connect: Callable[[], Awaitable[Session]], on_return: Callable[[], None]
    ) -> None:
        self._name = name
        self._connect = connect
        self._on_return = on_return
        self._session: Session | None = None
        self._background = Background(f"{name} link", self._keep)
        self.reconnects = 0

    @property
    def connected(self) -> bool:
        return self._session is not None

    async def start(self) -> None:
        """Returns after the first attempt, whatever came of it."""
        await self._attempt()
        self._background.start()

    async def stop(self) -> None:
        await self._background.stop()
        await self._close()

    async def _keep(self) -> None:
        delays = backoff_s()
        while True:
            if self._session is not None:
                delays = backoff_s()
                await self._session.lost()
                log.warning("fanout.lost", link=self._name)
                await self._close()
            if await self._attempt():
                self.reconnects += 1
                log.info("fanout.back", link=self._name)
                self._on_return()
            else:
                await asyncio.sleep(next(delays))

    async def _attempt(self) -> bool:
        try:
            self._session = await self._connect()
        except GatewayError:
            return False
        return True

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def backoff_s() -> Iterator[float]:
    delay_s = FIRST_DELAY_S
    while True:
        yield uniform(0.5, 1) * delay_s  # noqa: S311 - spreads replicas, protects nothing
        delay_s = min(LONGEST_DELAY_S, delay_s * 2)
