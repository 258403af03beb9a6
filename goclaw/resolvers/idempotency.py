"""Recognising a request that was sent before (the `Idempotency-Key` header, 24 hours)."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from goclaw.core.errors import Conflict, InvalidInput
from goclaw.core.reasons import Reason
from goclaw.models.idempotency import IdempotentRequest
from goclaw.models.sealed import SealedColumn
from goclaw.resolvers.context import Context
from goclaw.store.database import Db
from goclaw.store.idempotency import keep_request, kept_request

T = TypeVar("T")

MAX_KEY_CHARS = 255


class Once:
    """One request under the caller's idempotency key; without one, every request is new."""

    def __init__(self, ctx: Context, operation: str, request: bytes) -> None:
        self._ctx = ctx
        self._operation = operation
        self._hash = sha256(request).digest()
        self._key = ctx.idempotency_key
        if self._key is not None and not 0 < len(self._key) <= MAX_KEY_CHARS:
            reason = Reason("characters", low=1, high=MAX_KEY_CHARS)
            raise InvalidInput("invalid_input", field="Idempotency-Key", reason=reason)

    async def carry_out(
        self,
        begin: Callable[[], Awaitable[T]],
        repeat: Callable[[IdempotentRequest], Awaitable[T]],
    ) -> T:
        """`begin` carries the request out and keeps it, in one transaction; `repeat` tells what
        came of it before. Of two at once one runs into the other, and repeats. Raises Conflict
        when the key was used for another request.
        """
        kept = await self._kept()
        if kept is None:
            try:
                return await begin()
            except Conflict:
                kept = await self._kept()
                if kept is None:
                    raise
        return await repeat(kept)

    async def _kept(self) -> IdempotentRequest | None:
        if self._key is None:
            return None
        actor = self._ctx.caller.actor
        kept = await kept_request(self._ctx.reads, actor, self._operation, self._key)
        if kept is not None and bytes(kept.request_hash) != self._hash:
            raise Conflict("idempotency_mismatch", field="Idempotency-Key")
        return kept

    async def keep(self, db: Db, result_id: UUID, secret: str | None = None) -> None:
        """Raises Conflict when the same request is under way elsewhere."""
        if self._key is None:
            return
        vault = self._ctx.services.vault
        sealed = None
        if secret is not None:
            sealed = vault.seal(secret, SealedColumn.ANSWER_SECRET, result_id)
        await keep_request(
            db,
            IdempotentRequest(
                actor=self._ctx.caller.actor,
                operation=self._operation,
                key=self._key,
                request_hash=self._hash,
                result_id=result_id,
                secret=sealed,
            ),
        )

    def secret(self, kept: IdempotentRequest) -> str:
        vault = self._ctx.services.vault
        return vault.open(kept.secret or "", SealedColumn.ANSWER_SECRET, kept.result_id)

    def for_run(self) -> dict[str, Any] | None:
        """What is kept of the request with the run that it begins."""
        if self._key is None:
            return None
        return {
            "actor": self._ctx.caller.actor,
            "operation": self._operation,
            "key": self._key,
            "request_hash": self._hash.hex(),
        }
