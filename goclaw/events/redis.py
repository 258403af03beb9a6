"""The fan-out over Redis publish/subscribe."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from goclaw.core.errors import Unavailable
from goclaw.events.backend import FanoutBackend
from goclaw.events.frames import Message, Reference, pack
from goclaw.events.ports import Session

CHANNEL: Final = "goclaw"
FRAME_BYTES: Final = 256_000
TIMEOUT_S: Final = 5.0
HEARTBEAT_S: Final = 5.0
AWAY: Final = (RedisError, OSError)


class RedisSession:
    def __init__(self, pubsub: PubSub, on_frame: Callable[[str], None]) -> None:
        self._pubsub = pubsub
        self._on_frame = on_frame

    async def lost(self) -> None:
        """Returns also when the server has left two heartbeats unanswered."""
        try:
            await self._read()
        except AWAY:
            return

    async def close(self) -> None:
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _read(self) -> None:
        silent = 0
        while silent < 2:
            message = await self._pubsub.get_message(timeout=HEARTBEAT_S)
            if message is None:
                silent += 1
                await self._pubsub.ping()
                continue
            silent = 0
            if message["type"] == "message":
                self._on_frame(message["data"].decode())


class RedisBackend(FanoutBackend):
    """Connections are never mended inside the client: a gap would stay unnoticed."""

    def __init__(self, url: str) -> None:
        super().__init__("redis")
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )

    async def disconnect(self) -> None:
        await super().disconnect()
        await self._redis.aclose()

    async def _listen(self) -> Session:
        pubsub = self._redis.pubsub()
        with unavailable_when_away():
            try:
                await pubsub.subscribe(CHANNEL)
                confirmed = await pubsub.get_message(timeout=TIMEOUT_S)
                if confirmed is None:
                    raise Unavailable("fanout_unavailable", retry_after_s=1)
            except BaseException:
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                raise
        return RedisSession(pubsub, self._inbox.put)

    async def _send(self, messages: Sequence[Message]) -> None:
        with unavailable_when_away():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for frame in pack(messages, FRAME_BYTES):
                    pipeline.publish(CHANNEL, frame)
                await pipeline.execute()

    async def _resolve(self, reference: Reference) -> str | None:
        return None


@contextmanager
def unavailable_when_away() -> Iterator[None]:
    """Raises Unavailable when Redis does not answer."""
    try:
        yield
    except AWAY as error:
        raise Unavailable("fanout_unavailable", retry_after_s=1) from error
