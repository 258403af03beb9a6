"""One call to a model, whatever wire it goes over."""

from collections.abc import AsyncGenerator
from typing import Protocol

from goclaw.core.provider_settings import Price
from goclaw.providers.messages import Delta, ModelRequest, ProviderModel, Reply


class ModelClient(Protocol):
    """Every call raises UpstreamFailed, RateLimited or UpstreamTimeout."""

    name: str

    async def complete(self, request: ModelRequest) -> Reply: ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[list[Delta], None]:
        """The deltas of each network chunk as it comes; closing it hangs up at once."""
        ...

    async def models(self) -> list[ProviderModel]: ...

    async def verify(self, model: str) -> None:
        """Asks the model for a few tokens."""
        ...

    def price_of(self, model: str) -> Price | None:
        """The provider's own, not what its vendor publishes."""
        ...


class StreamReader(Protocol):
    """Reads the events of one stream; raises the error that an event tells of."""

    done: bool
    """The vendor said that nothing follows."""
    finished: bool
    """The answer is complete, though usage may follow."""

    def read(self, event: bytes) -> Delta | None: ...
