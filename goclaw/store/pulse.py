"""Noticing a database that has stopped answering without closing anything: one that is frozen, or
behind a network that swallows what is sent.
"""

import asyncio
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import asyncpg

PATIENCE_S: Final = 2.0
"""A statement that takes longer is asked about."""
ANSWER_S: Final = 3.0
"""How long a new connection may take, to a database that answers."""
LOOK_S: Final = 0.5
"""How often the statements under way are looked at, while there are some."""


class Pulse:
    """Whether the database answers anybody at all, which tells a slow statement from a lost one.
    One timer looks at all statements, as one for each would cost more than a hundredth of it.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._since: dict[Watch, float] = {}
        self._looking = False
        self._asking: asyncio.Task[None] | None = None

    def watch(self, connection: Any) -> "Watch":
        """For `with`: closes the connection when the database answers nobody any more, upon which
        the statement under way fails as it does with one that is away.
        """
        return Watch(self, connection)

    def begin(self, watch: "Watch") -> None:
        self._since[watch] = monotonic()
        if not self._looking:
            self._look_later()

    def end(self, watch: "Watch") -> None:
        self._since.pop(watch, None)

    def _look_later(self) -> None:
        self._looking = True
        asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = False
        if not self._since:
            return
        self._look_later()
        late = self._late()
        if late and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._close_unless_it_answers(late))

    def _late(self) -> "list[Watch]":
        edge = monotonic() - PATIENCE_S
        return [watch for watch, since in self._since.items() if since < edge]

    async def _close_unless_it_answers(self, late: "list[Watch]") -> None:
        began = monotonic()
        if await self._answers():
            for watch in late:
                if watch in self._since:
                    self._since[watch] = began
            return
        for watch in late:
            if watch in self._since:
                watch.connection.terminate()

    async def _answers(self) -> bool:
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
    """What waits for an answer over one connection."""

    __slots__ = ("_pulse", "connection")

    def __init__(self, pulse: Pulse, connection: Any) -> None:
        self._pulse = pulse
        self.connection = connection

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
        self._pulse.begin(self)

    def end(self) -> None:
        self._pulse.end(self)
