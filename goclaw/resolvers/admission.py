"""Who holds a long connection, asked again while it is open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Final

import structlog

from goclaw.core.clock import clock_s
from goclaw.core.errors import GatewayError, Unauthenticated, Unavailable
from goclaw.core.locales import Locale
from goclaw.resolvers.context import Context
from goclaw.resolvers.enter import KEYS, Credential, enter
from goclaw.resolvers.services import Services

log = structlog.get_logger()

CHECK_S: Final = 1.0
OUTAGE_S: Final = 60.0
"""How long a connection outlives a database that cannot be asked, or does not answer."""


class Admission:
    """What connections with the same credential have in common."""

    def __init__(
        self,
        services: Services,
        credential: Credential,
        ctx: Context,
        answered: Callable[[], None],
    ) -> None:
        """`answered` is called when a question has its answer, so that the next may be asked."""
        self.holders = 0
        self.doubted = False
        self._services = services
        self._credential = credential
        self._ctx = ctx
        self._answered = answered
        self._question: asyncio.Task[None] | None = None
        self._good_at = clock_s()
        self._over: asyncio.Future[GatewayError] = asyncio.get_running_loop().create_future()

    @property
    def ended(self) -> bool:
        return self._over.done()

    def doubt(self, key_ids: Collection[str] | None) -> None:
        """Has it asked about at once if it is of one of these keys."""
        key_id = self._ctx.caller.key_id if self._ctx.signed_in else None
        self.doubted |= key_ids is None or (key_id is not None and str(key_id) in key_ids)

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

    @asynccontextmanager
    async def cutting(self) -> AsyncIterator[None]:
        """Breaks the block off when the credential no longer holds, and raises the reason."""
        task = asyncio.current_task()
        assert task is not None
        inside = True

        def cut(_: object) -> None:
            if inside:
                task.cancel()

        self._over.add_done_callback(cut)
        try:
            yield
        except asyncio.CancelledError:
            if not self._over.done() or task.uncancel() > 0:
                raise
            raise self._over.result() from None
        finally:
            inside = False
            self._over.remove_done_callback(cut)

    def ask_again(self) -> None:
        """One question at a time: one that stays open holds up no other admission, and ends its
        own like an outage.
        """
        if self._question is not None:
            self._end_if_too_long(Unavailable("database_unavailable"))
            return
        self.doubted = False
        self._question = asyncio.create_task(self._ask())
        self._question.add_done_callback(self._heard)

    def let_go(self) -> None:
        """Nobody waits for the answer any more."""
        if self._question is not None:
            self._question.cancel()

    def _heard(self, _: "asyncio.Task[None]") -> None:
        self._question = None
        if self.doubted:
            self._answered()

    async def _ask(self) -> None:
        try:
            self._ctx = await enter(
                self._services, self._credential, self._ctx.request_id, again=True
            )
            self._good_at = clock_s()
        except Unavailable as error:
            self._end_if_too_long(error)
        except Unauthenticated:
            self._end(Unauthenticated("credential_ended"))
        except GatewayError as error:
            self._end(error)
        except Exception:  # closed when it lasts: what cannot be checked does not stay open
            log.exception("admission.check_failed", request_id=self._ctx.request_id)
            self._end_if_too_long(GatewayError("internal", request_id=self._ctx.request_id))

    def _end_if_too_long(self, error: GatewayError) -> None:
        if clock_s() - self._good_at >= OUTAGE_S:
            self._end(error)

    def _end(self, error: GatewayError) -> None:
        if not self._over.done():
            self._over.set_result(error)


class Admissions:
    """Credentials of open connections are asked about once a second, each once however many
    connections it has, and at once when its key was changed. A timer does it, as a task for each
    stream that is open alone would hold up its first word.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: dict[Credential, Admission] = {}
        self._timer: asyncio.TimerHandle | None = None
        services.trust.on(KEYS, self._doubt)

    @asynccontextmanager
    async def admit(self, credential: Credential, request_id: str) -> AsyncIterator[Admission]:
        """Raises Unauthenticated, Forbidden, InvalidInput, Unavailable."""
        ctx = await enter(self._services, credential, request_id)
        with self.keep(credential, ctx) as admission:
            yield admission

    @contextmanager
    def keep(self, credential: Credential, ctx: Context) -> Iterator[Admission]:
        """For a caller who came in this very moment: nothing may be awaited in between."""
        key = credential
        if key.idempotency_key is not None:
            key = replace(key, idempotency_key=None)
        admission = self._open.get(key)
        if admission is None or admission.ended:
            admission = self._open[key] = Admission(self._services, key, ctx, self._ask_doubted)
        admission.holders += 1
        self._watch()
        try:
            yield admission
        finally:
            admission.holders -= 1
            if admission.holders == 0:
                admission.let_go()
                if self._open.get(key) is admission:
                    del self._open[key]
                    self._watch()

    def _watch(self) -> None:
        """While anything is open."""
        if self._open and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECK_S, self._ask_all)
        elif not self._open and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask_all(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(CHECK_S, self._ask_all)
        for admission in self._open.values():
            admission.ask_again()

    def _ask_doubted(self) -> None:
        for admission in self._open.values():
            if admission.doubted:
                admission.ask_again()

    def _doubt(self, key_ids: Collection[str] | None) -> None:
        for admission in self._open.values():
            admission.doubt(key_ids)
        self._ask_doubted()
