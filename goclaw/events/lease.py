"""Until when a worker may believe what it remembers of the database."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from goclaw.core.clock import clock_s
from goclaw.core.errors import GatewayError
from goclaw.events.ports import TrustSql
from goclaw.events.wakeup import Wakeup

LEASE_S: Final = 1.0
BEATS: Final = 4
"""In the time of a lease, so that a lost one costs nothing."""
USED_S: Final = 5.0
"""How long after its last use a lease is kept up."""
NEVER: Final = float("-inf")


class Lease:
    """Holds for `lease_s` after the sending of the last heartbeat that came back over the
    fan-out, and of the last question for the epoch that the database answered.

    While nobody asks for it, it runs out and nothing is sent.
    """

    def __init__(
        self,
        sql: TrustSql,
        worker: str,
        beat: Callable[[float], None],
        forget_all: Callable[[], None],
        lease_s: float = LEASE_S,
    ) -> None:
        """`beat` sends a time that is to come back by `echoed`; `forget_all` is called when
        the epoch says that something was missed.
        """
        self._sql = sql
        self._worker = worker
        self._beat = beat
        self._forget_all = forget_all
        self._lease_s = lease_s
        self._epoch: int | None = None
        self._echoed = self._asked = self._until = self._used_until = NEVER
        self._asleep = True
        self._wakeup = Wakeup()

    @property
    def holds(self) -> bool:
        now_s = clock_s()
        self._used_until = now_s + USED_S
        if self._asleep:
            self._asleep = False
            self._wakeup.set()
        return now_s < self._until

    @property
    def held(self) -> bool:
        """The same, but that looking is no use of it."""
        return clock_s() < self._until

    def echoed(self, sent_at: float) -> None:
        self._echoed = max(self._echoed, sent_at)
        self._renew()

    def told(self, epoch: int) -> None:
        """The one change that made this epoch was forgotten here."""
        if self._epoch is not None and epoch == self._epoch + 1:
            self._epoch = epoch

    def end(self) -> None:
        self._echoed = self._asked = self._until = NEVER

    async def begin(self) -> None:
        """Learns the epoch before anything is remembered. Without an answer the first look at
        it will forget what was remembered till then.
        """
        with suppress(GatewayError, TimeoutError):
            async with asyncio.timeout(self._lease_s):
                await self._ask()

    async def run(self) -> None:
        while True:
            if clock_s() > self._used_until:
                self._asleep = True
                await self._wakeup.wait()
            await self._keep()
            await asyncio.sleep(self._lease_s / BEATS)

    async def _keep(self) -> None:
        """Without an answer the lease runs out, and those who ask hear it from the database."""
        self._beat(clock_s())
        try:
            async with asyncio.timeout(self._lease_s):
                while not await self._ask():
                    await self._sql.register(self._worker)
        except (GatewayError, TimeoutError):
            return

    async def _ask(self) -> bool:
        """False when those who revoke would not know of this worker."""
        asked, before = clock_s(), self._epoch
        standing = await self._sql.standing(self._worker)
        if before is None or self._epoch is None or not before <= standing.epoch <= self._epoch:
            self._forget_all()
            self._epoch = standing.epoch
        if standing.registered:
            self._asked = asked
            self._renew()
        return standing.registered

    def _renew(self) -> None:
        self._until = min(self._echoed, self._asked) + self._lease_s
