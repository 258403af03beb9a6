"""A client for runs that nobody waits for: it tries again for minutes, not seconds."""

import random
from asyncio import sleep
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import structlog

from goclaw.core.errors import GatewayError
from goclaw.core.provider_settings import Price
from goclaw.providers.attempts import may_pass
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Delta, ModelRequest, ProviderModel, Reply

log = structlog.get_logger()

FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 30.0
LONGEST_ASKED_S: Final = 300.0
"""What a vendor may ask for; one that wants longer has failed."""


class StubbornClient:
    """Asks again up to `retries` times, as long as the model has said nothing and the failure is
    one that passes; a circuit breaker that is open does, too.
    """

    def __init__(self, client: ModelClient, retries: int) -> None:
        self.name = client.name
        self._client = client
        self._retries = retries

    async def complete(self, request: ModelRequest) -> Reply:
        failures = 0
        while True:
            try:
                return await self._client.complete(request)
            except GatewayError as error:
                failures += 1
                await self._wait(error, failures)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[Delta], None]:
        failures = 0
        spoken = False
        while True:
            try:
                async with aclosing(self._client.stream(request)) as chunks:
                    async for deltas in chunks:
                        spoken = True
                        yield deltas
                return
            except GatewayError as error:
                if spoken:
                    raise
                failures += 1
                await self._wait(error, failures)

    async def _wait(self, error: GatewayError, failures: int) -> None:
        """Raises the error when it is the last one."""
        passing = may_pass(error) or error.code == "provider_unavailable"
        if failures > self._retries or not passing:
            raise error
        doubled = min(FIRST_WAIT_S * 2 ** (failures - 1), LONGEST_WAIT_S)
        wait_s = doubled * random.uniform(0.75, 1.25)  # noqa: S311 - spreads them, hides nothing
        wait_s = max(wait_s, error.retry_after_s or 0)
        if wait_s > LONGEST_ASKED_S:
            raise error
        log.info("run.retry", provider=self.name, code=error.code, wait_s=round(wait_s, 1))
        await sleep(wait_s)

    def price_of(self, model: str) -> Price | None:
        return self._client.price_of(model)

    async def models(self) -> list[ProviderModel]:
        return await self._client.models()

    async def verify(self, model: str) -> None:
        await self._client.verify(model)
