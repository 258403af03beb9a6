"""LISTEN and NOTIFY: how workers and replicas on one PostgreSQL tell each other things."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from goclaw.core.errors import Unavailable
from goclaw.store.away import AWAY, RETRY_AFTER_S, unavailable_when_away
from goclaw.store.database import fetch
from goclaw.store.pool import Pool, Row

log = structlog.get_logger()

CHANNEL: Final = "goclaw"
CONNECT_TIMEOUT_S: Final = 5
HEARTBEAT_S: Final = 5.0
HEARTBEAT_TIMEOUT_S: Final = 2.0
NOTIFY: Final = "select pg_notify($1, frame) from unnest($2::text[]) as frame"
NOTIFY_WITH_BODIES: Final = f"""
with stored as (
    insert into fanout_payloads (id, at, body)
    select id, now(), body from unnest($3::uuid[], $4::bytea[]) as new(id, body))
{NOTIFY}"""
BODY: Final = "select body from fanout_payloads where id = $1"
PURGE: Final = "delete from fanout_payloads where at < now() - interval '1 minute'"


class ListenSession:
    """One listening connection, from its LISTEN to its loss."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._gone = asyncio.Event()
        connection.add_termination_listener(lambda _: self._gone.set())

    async def lost(self) -> None:
        """Returns when the connection is gone, also when its other end fell silent."""
        while not self._gone.is_set():
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._gone.wait()
            except TimeoutError:
                await self._beat()

    async def close(self) -> None:
        self._connection.terminate()

    async def _beat(self) -> None:
        try:
            await self._connection.execute("select 1", timeout=HEARTBEAT_TIMEOUT_S)
        except AWAY as error:
            log.warning("fanout.silent", error=type(error).__name__)
            self._connection.terminate()
            self._gone.set()


class PostgresFanout:
    """`dsn` must lead to PostgreSQL itself: LISTEN does not pass a transaction pooler."""

    def __init__(self, pool: Pool, dsn: str, channel: str = CHANNEL) -> None:
        self._pool = pool
        self._dsn = dsn
        self._channel = channel

    async def listen(self, on_frame: Callable[[str], None]) -> ListenSession:
        """Raises Unavailable when no connection can be made."""
        with unavailable_when_away():
            connection = await asyncpg.connect(
                self._dsn,
                timeout=CONNECT_TIMEOUT_S,
                statement_cache_size=0,
                server_settings={"application_name": "goclaw listen"},
            )
            session = ListenSession(connection)
            try:
                await connection.add_listener(
                    self._channel, lambda _connection, _pid, _channel, frame: on_frame(frame)
                )
            except BaseException:
                connection.terminate()
                raise
        return session

    async def notify(
        self, frames: Sequence[str], bodies: Sequence[tuple[UUID, bytes]] = ()
    ) -> None:
        """Frames and the bodies they refer to in one statement; raises Unavailable."""
        if not bodies:
            await self._fetch(NOTIFY, self._channel, frames)
            return
        ids, contents = zip(*bodies, strict=True)
        await self._fetch(NOTIFY_WITH_BODIES, self._channel, frames, ids, contents)

    async def body(self, id: UUID) -> bytes | None:
        rows = await self._fetch(BODY, id)
        return rows[0]["body"] if rows else None

    async def purge(self) -> None:
        await self._fetch(PURGE)

    async def _fetch(self, sql: str, *arguments: object) -> list[Row]:
        """Also Unavailable: a pooled connection whose end asyncpg has half noticed."""
        try:
            return await fetch(self._pool, sql, arguments)
        except asyncpg.InternalClientError as error:
            raise Unavailable("database_unavailable", retry_after_s=RETRY_AFTER_S) from error
