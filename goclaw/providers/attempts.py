"""Calls that failed before one was answered, and what their errors allow."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from goclaw.core.errors import GatewayError
from goclaw.core.provider_settings import Price
from goclaw.providers.config import CONNECT
from goclaw.providers.failures import CLOSED, LASTING

_PASSING_STATUSES: Final = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_BROKEN: Final = frozenset(
    {"upstream_failed", "upstream_unreachable", "upstream_timeout", "upstream_cut"}
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. Without a `code` it was answered; `wait_s` is what passed until the next one of
    the same provider, None where it was the last. `price` is the provider's own, if it has one.
    """

    provider: str
    provider_type: str
    model: str
    started_at: datetime
    duration_s: float
    code: str | None = None
    status: int | None = None
    wait_s: float | None = None
    price: Price | None = None

    def row(self) -> dict[str, Any]:
        """For a trace."""
        told = asdict(self)
        del told["price"]
        return told | {
            "started_at": self.started_at.isoformat(),
            "duration_s": round(self.duration_s, 4),
        }


@dataclass(frozen=True, slots=True)
class Retry:
    """A call that failed, or a provider that was passed over, with this `code`, and is followed by
    another call: the `attempt`th of at most `max_attempts` of its provider, in `wait_s`.
    """

    provider: str
    model: str
    attempt: int
    max_attempts: int
    code: str
    wait_s: float


OnRetry = Callable[[Retry], Awaitable[None]]


def may_pass(error: GatewayError) -> bool:
    """Whether the same call may be answered in a moment. It is nothing to ask once the model has
    said something.
    """
    match error.code:
        case "upstream_rate_limited" | "upstream_cut":
            return True
        case "upstream_failed":
            return error.params.get("status") in _PASSING_STATUSES
        case "upstream_unreachable":
            return error.params.get("reason") not in LASTING
        case "upstream_timeout":
            return error.params.get("limit") == CONNECT
    return False


def was_closed(error: GatewayError) -> bool:
    """The connection ended without an answer, as one does that was kept for too long."""
    return error.code == "upstream_unreachable" and error.params.get("reason") == CLOSED


def is_broken(error: GatewayError) -> bool:
    """Whether the vendor failed, rather than refused: what a circuit breaker counts."""
    return error.code in _BROKEN and error.params.get("status") != 200
