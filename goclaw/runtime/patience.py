"""A client for a model that may still be starting: the embedded one, in its first seconds or
after a crash.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from goclaw.core.errors import UpstreamFailed
from goclaw.core.provider_settings import Price
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Delta, ModelRequest, ProviderModel, Reply

PAUSE_S: Final = 0.1
PATIENCE_S: Final = 30.0


class PatientClient:
    """Asks again for `PATIENCE_S` as long as nobody answers, or says that it is loading; never
    once the model has said something.
    """

    def __init__(self, client: ModelClient) -> None:
        self.name = client.name
        self._client = client

    async def complete(self, request: ModelRequest) -> Reply:
        patience = _Patience()
        while True:
            try:
                return await self._client.complete(request)
            except UpstreamFailed as error:
                await patience.after(error)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[Delta], None]:
        patience = _Patience()
        spoken = False
        while True:
            try:
                async with aclosing(self._client.stream(request)) as chunks:
                    async for deltas in chunks:
                        spoken = True
                        yield deltas
                return
            except UpstreamFailed as error:
                if spoken:
                    raise
                await patience.after(error)

    def price_of(self, model: str) -> Price | None:
        return self._client.price_of(model)

    async def models(self) -> list[ProviderModel]:
        return await self._client.models()

    async def verify(self, model: str) -> None:
        await self._client.verify(model)


class _Patience:
    def __init__(self) -> None:
        self._until = asyncio.get_running_loop().time() + PATIENCE_S

    async def after(self, error: UpstreamFailed) -> None:
        """Raises the error unless it only says that nobody is there yet."""
        late = asyncio.get_running_loop().time() > self._until
        if late or not _is_starting(error):
            raise error
        await asyncio.sleep(PAUSE_S)


def _is_starting(error: UpstreamFailed) -> bool:
    """llama.cpp answers 503 until its model is in memory."""
    loading = str(error.params.get("reason", "")).startswith("HTTP 503")
    return error.code == "upstream_unreachable" or loading
