"""Noticing a database that has stopped answering without closing anything: one that is frozen, or
behind a network that swallows what is sent.
"""

import asyncio
from types import TracebackType
from typing import Any, Final, Self

import asyncpg

PATIENCE_S: Final = 2.0
"""A statement that takes longer is asked about."""
ANSWER_S: Final = 2.0
"""How long a new connection may take, to a database that answers."""


class Pulse:
    """Whether the database answers anybody at all, which tells a slow statement from a lost one."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._asking: asyncio.Task[bool] | None = None

    def watch(self, connection: Any) -> "Watch":
        """For `with`: closes the connection when the database answers nobody any more, upon which
        the statement under way fails as it does with one that is away.
        """
        return Watch(self, connection)

    async def beats(self) -> bool:
        """One connection tries it, however many wait to know."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                connection = await asyncpg.connect(self._dsn, statement_cache_size=0)
                try:
                    await connection.execute("select 1")
                finally:
                    connection.terminate()
        except OSError:
            return False
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            return True  # a refusal is an answer
        return True


class Watch:
    __slots__ = ("_connection", "_look", "_pulse", "_timer")

    def __init__(self, pulse: Pulse, connection: Any) -> None:
        self._pulse = pulse
        self._connection = connection
        self._look: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def begin(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._ask)

    def end(self) -> None:
        self._timer.cancel()
        if self._look is not None:
            self._look.cancel()

    def _ask(self) -> None:
        self._look = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        if await self._pulse.beats():
            self.begin()
        else:
            self._connection.terminate()
