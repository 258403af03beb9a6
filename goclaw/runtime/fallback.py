"""A client that asks other providers, in order, when its own does not answer."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

from goclaw.core.errors import GatewayError
from goclaw.core.provider_settings import FallbackLink, Price, ProviderSettings
from goclaw.providers.attempts import Attempt
from goclaw.providers.client import ModelClient
from goclaw.providers.messages import Delta, ModelRequest, ProviderModel, Reply
from goclaw.runtime.retries import status_of

OpenLink = Callable[[str], Awaitable[ModelClient]]


class FallbackClient:
    """Falls over only for the errors its settings name, and only while the model has said
    nothing. When nobody answers, the first provider's error is raised. The chains of those it
    falls back to are not followed.
    """

    def __init__(
        self, client: ModelClient, settings: ProviderSettings, open_link: OpenLink
    ) -> None:
        """`open_link` gives a client by its provider's name; its errors skip the link."""
        self.name = client.name
        self._client = client
        self._links = tuple(settings.fallback)
        self._causes = frozenset[str](settings.fallback_on)
        self._open_link = open_link

    async def complete(self, request: ModelRequest) -> Reply:
        try:
            return await self._client.complete(request)
        except GatewayError as error:
            failure = self._passed_on(error)
        for link in self._links:
            if (client := await self._next(link, request)) is None:
                continue
            try:
                return await client.complete(_for(link, request))
            except GatewayError as error:
                self._passed_on(error)
        raise failure

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[Delta], None]:
        spoken = False
        failure: GatewayError | None = None
        for link in (None, *self._links):
            client = self._client if link is None else await self._next(link, request)
            if client is None:
                continue
            asked = request if link is None else _for(link, request)
            try:
                async with aclosing(client.stream(asked)) as chunks:
                    async for deltas in chunks:
                        spoken = True
                        yield deltas
                return
            except GatewayError as error:
                if spoken:
                    raise
                passed = self._passed_on(error)
                failure = failure or passed
        if failure is not None:
            raise failure

    def price_of(self, model: str) -> Price | None:
        return self._client.price_of(model)

    async def models(self) -> list[ProviderModel]:
        return await self._client.models()

    async def verify(self, model: str) -> None:
        await self._client.verify(model)

    def _passed_on(self, error: GatewayError) -> GatewayError:
        """Raises the error where it is none to fall over for."""
        if error.code not in self._causes:
            raise error
        return error

    async def _next(self, link: FallbackLink, request: ModelRequest) -> ModelClient | None:
        """None, with a note, for a provider that is gone, disabled or without a key."""
        try:
            return await self._open_link(link.provider)
        except GatewayError as error:
            request.attempts.append(_skipped(link, error))
        return None


def _for(link: FallbackLink, request: ModelRequest) -> ModelRequest:
    """The same question, and the same list of attempts; what was meant for one vendor alone
    stays with it.
    """
    return replace(request, model=link.model, extra=None)


def _skipped(link: FallbackLink, error: GatewayError) -> Attempt:
    return Attempt(
        provider=link.provider,
        provider_type="",
        model=link.model,
        started_at=datetime.now(UTC),
        duration_s=0.0,
        code=error.code,
        status=status_of(error),
    )
