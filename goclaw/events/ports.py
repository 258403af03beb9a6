"""What `app` hands in: the SQL of the log and of LISTEN/NOTIFY lives in the store."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

LogRow: TypeAlias = tuple[int, UUID, datetime, str, str, str | None, UUID | None, str, str]
"""xid, id, at, topic, kind, user_id, agent_id, audience, payload as JSON text"""


class LogPage(Protocol):
    @property
    def rows(self) -> Sequence[LogRow]: ...

    @property
    def full(self) -> bool:
        """More rows may follow at once."""

    @property
    def held(self) -> bool:
        """Committed rows wait for an older transaction to end."""


class Standing(Protocol):
    @property
    def known(self) -> bool:
        """The log can have given this position out."""

    @property
    def kept(self) -> bool:
        """Nothing after this position has been deleted."""


class EventLog(Protocol):
    """Every method raises GatewayError when the log cannot be reached."""

    async def read_after(
        self, after: tuple[int, UUID], limit: int, topics: Sequence[str] | None = None
    ) -> LogPage: ...

    async def head(self) -> tuple[int, UUID]: ...

    async def standing(self, position: tuple[int, UUID]) -> Standing: ...


class Session(Protocol):
    """One listening connection."""

    async def lost(self) -> None:
        """Returns when the connection is gone."""

    async def close(self) -> None: ...


class NotifySql(Protocol):
    """LISTEN and NOTIFY; every method raises GatewayError when the database is away."""

    async def listen(self, on_frame: Callable[[str], None]) -> Session: ...

    async def notify(
        self, frames: Sequence[str], bodies: Sequence[tuple[UUID, bytes]] = ()
    ) -> None: ...

    async def body(self, id: UUID) -> bytes | None: ...

    async def purge(self) -> None: ...


class TrustStanding(Protocol):
    @property
    def epoch(self) -> int: ...

    @property
    def registered(self) -> bool:
        """Whether those who revoke know of the worker, for longer than a lease."""


class TrustSql(Protocol):
    """Every method raises GatewayError when the database is away."""

    async def standing(self, worker: str) -> TrustStanding: ...

    async def register(self, worker: str) -> None: ...

    async def forget(self, worker: str) -> None: ...

    async def workers(self) -> set[str]:
        """All that may trust what they remember."""


class Peer(Protocol):
    """Who listens on a channel without a queue. No method may fail."""

    def heard(self, message: dict[str, Any]) -> None:
        """From another worker."""

    def echoed(self, message: dict[str, Any]) -> None:
        """From this worker, back over the fan-out."""

    def gap(self) -> None:
        """Messages may be missing."""
