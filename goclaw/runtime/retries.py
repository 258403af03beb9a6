"""A client that asks again where that is safe: as long as the model has said nothing."""

import random
from asyncio import sleep
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from goclaw.core.errors import GatewayError, Unavailable
from goclaw.core.provider_settings import Price, ProviderSettings
from goclaw.providers.attempts import Attempt, Retry, is_broken, may_pass, was_closed
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Delta, ModelRequest, ProviderModel, Reply
from goclaw.runtime.breaker import Breaker

log = structlog.get_logger()

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0


class RetryingClient:
    """Waits twice as long before each further attempt, or as long as the vendor asks; a connection
    that was closed at the moment of use is replaced at once. Each call passes the breaker, which
    raises Unavailable. What failed is noted in the request's `attempts`.
    """

    def __init__(
        self, client: ModelClient, provider_type: str, settings: ProviderSettings, breaker: Breaker
    ) -> None:
        self.name = client.name
        self.provider_type = provider_type
        self.settings = settings
        self.breaker = breaker
        self._client = client

    async def complete(self, request: ModelRequest) -> Reply:
        tries = _Tries(self, request)
        while True:
            tries.begin()
            try:
                await tries.tell_of_hop()
                reply = await self._client.complete(request)
            except GatewayError as error:
                await tries.fail(error)
            except BaseException:
                self.breaker.leave()
                raise
            else:
                tries.answer()
                return reply

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[Delta], None]:
        tries = _Tries(self, request)
        while True:
            tries.begin()
            try:
                await tries.tell_of_hop()
                async with aclosing(self._client.stream(request)) as chunks:
                    async for deltas in chunks:
                        if not tries.answered:
                            tries.answer()
                        yield deltas
                if not tries.answered:
                    tries.answer()
                return
            except GatewayError as error:
                await tries.fail(error)
            except BaseException:
                self.breaker.leave()
                raise

    def price_of(self, model: str) -> Price | None:
        return self._client.price_of(model)

    async def models(self) -> list[ProviderModel]:
        return await self._client.models()

    async def verify(self, model: str) -> None:
        """Asks once and in any case; that it works closes the breaker."""
        await self._client.verify(model)
        self.breaker.succeed()


class _Tries:
    """The attempts of one call."""

    __slots__ = ("_began", "_client", "_number", "_request", "_since", "answered")

    def __init__(self, client: RetryingClient, request: ModelRequest) -> None:
        self.answered = False
        self._client = client
        self._request = request
        self._number = 0
        self._since = self._began = monotonic()

    def begin(self) -> None:
        """Raises Unavailable when the breaker is open."""
        self._number += 1
        try:
            self._client.breaker.enter()
        except Unavailable as error:
            self._note(error, None)
            raise

    async def tell_of_hop(self) -> None:
        """Where others were asked before this provider, or this one was for the last time it
        seemed.
        """
        if self._number == 1 and self._request.attempts:
            await self._tell(1, self._request.attempts[-1].code or "", 0.0)

    async def _tell(self, attempt: int, code: str, wait_s: float) -> None:
        if self._request.on_retry is None:
            return
        retry = Retry(
            provider=self._client.name,
            model=self._request.model,
            attempt=attempt,
            max_attempts=self._client.settings.max_attempts,
            code=code,
            wait_s=wait_s,
        )
        await self._request.on_retry(retry)

    def answer(self) -> None:
        """The model has begun to speak: from now on a failure is one."""
        self.answered = True
        self._client.breaker.succeed()
        if self._request.attempts:
            self._note(None, None)

    async def fail(self, error: GatewayError) -> None:
        """Waits for the next attempt; raises the error where there is none."""
        self._tell_breaker(error)
        wait_s = None if self.answered else self._wait_s(error)
        if not self.answered:
            self._note(error, wait_s)
        if wait_s is None:
            raise error
        await self._tell(self._number + 1, error.code, wait_s)
        log.info("provider.retry", provider=self._client.name, code=error.code, wait_s=wait_s)
        await sleep(wait_s)
        self._began = monotonic()

    def _tell_breaker(self, error: GatewayError) -> None:
        breaker = self._client.breaker
        if is_broken(error):
            breaker.fail(error.code)
        elif error.code.startswith("upstream_"):
            breaker.succeed()
        else:
            breaker.leave()

    def _wait_s(self, error: GatewayError) -> float | None:
        settings = self._client.settings
        if self._number == 1 and was_closed(error):
            return 0.0
        if self._number >= settings.max_attempts or not may_pass(error):
            return None
        if self._client.breaker.retry_after_s is not None:
            return None
        doubled = min(FIRST_WAIT_S * 2 ** (self._number - 1), LONGEST_WAIT_S)
        # Those who failed together must not come back together.
        wait_s = doubled * random.uniform(0.5, 1)  # noqa: S311
        if error.retry_after_s is not None:
            wait_s += error.retry_after_s
        if wait_s > max(settings.max_retry_wait_s, doubled):
            return None
        over = monotonic() - self._since + wait_s > settings.call_timeout_s
        return None if over else wait_s

    def _note(self, error: GatewayError | None, wait_s: float | None) -> None:
        spent_s = monotonic() - self._began
        self._request.attempts.append(
            Attempt(
                provider=self._client.name,
                provider_type=self._client.provider_type,
                model=self._request.model,
                started_at=datetime.now(UTC) - timedelta(seconds=spent_s),
                duration_s=spent_s,
                code=None if error is None else error.code,
                status=None if error is None else status_of(error),
                wait_s=wait_s,
                price=self._client.price_of(self._request.model),
            )
        )


def status_of(error: GatewayError) -> int | None:
    """The HTTP status the vendor answered with."""
    status = error.params.get("status")
    return status if isinstance(status, int) else None
