"""Who holds a long connection, asked again while it is open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from goclaw.core.errors import GatewayError, Unavailable
from goclaw.core.locales import Locale
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import Credential, enter
from goclaw.resolvers.services import Services

CHECK_S: Final = 1.0
OUTAGE_S: Final = 60.0
"""How long a connection outlives a database that cannot be asked."""


class Admission:
    """What connections with the same credential have in common."""

    def __init__(self, services: Services, credential: Credential, ctx: Context) -> None:
        self.holders = 0
        self._services = services
        self._credential = credential
        self._ctx = ctx
        self._over: asyncio.Future[GatewayError] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        return self._over.done()

    def check(self) -> None:
        """Raises what ended the admission."""
        if self._over.done():
            raise self._over.result()

    def context(self, locale: Locale) -> Context:
        """For one call or one event. Raises what ended the admission."""
        self.check()
        return self._ctx.afresh(locale)

    async def over(self) -> GatewayError:
        """Waits until the credential no longer holds; gives the reason."""
        return await asyncio.shield(self._over)

    def hold(self) -> None:
        self.holders += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    def release(self) -> bool:
        """Whether nobody holds it any more."""
        self.holders -= 1
        if self.holders == 0 and self._task is not None:
            self._task.cancel()
        return self.holders == 0

    async def _watch(self) -> None:
        away_s = 0.0
        while not self._over.done():
            await asyncio.sleep(CHECK_S)
            try:
                self._ctx = await enter(self._services, self._credential, self._ctx.request_id)
                away_s = 0.0
            except Unavailable as error:
                away_s += CHECK_S
                if away_s >= OUTAGE_S:
                    self._over.set_result(error)
            except GatewayError as error:
                self._over.set_result(error)


class Admissions:
    """One look-up a second for each credential, however many connections it has open."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: dict[Credential, Admission] = {}

    @asynccontextmanager
    async def admit(self, credential: Credential, request_id: str) -> AsyncIterator[Admission]:
        """Raises Unauthenticated, Forbidden, InvalidInput, Unavailable."""
        ctx = await enter(self._services, credential, request_id)
        key = replace(credential, idempotency_key=None)
        admission = self._open.get(key)
        if admission is None or admission.ended:
            admission = self._open[key] = Admission(self._services, key, ctx)
        admission.hold()
        try:
            yield admission
        finally:
            if admission.release() and self._open.get(key) is admission:
                del self._open[key]
