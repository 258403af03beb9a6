"""Recognising a request that was sent before (the `Idempotency-Key` header, 24 hours)."""

from hashlib import sha256
from uuid import UUID

from goclaw.core.errors import Conflict, InvalidInput
from goclaw.core.ids import uuid7
from goclaw.models.idempotency import IdempotentRequest
from goclaw.resolvers.context import Context
from goclaw.store.database import Db
from goclaw.store.idempotency import forget_request, keep_request, kept_request

MAX_KEY_CHARS = 255


class Once:
    """One request under the caller's idempotency key; without one, every request is new."""

    def __init__(self, ctx: Context, operation: str, request: bytes) -> None:
        self._ctx = ctx
        self._operation = operation
        self._hash = sha256(request).digest()
        self._key = ctx.idempotency_key
        if self._key is not None and not 0 < len(self._key) <= MAX_KEY_CHARS:
            raise InvalidInput(
                "invalid_input", field="Idempotency-Key", reason=f"1 to {MAX_KEY_CHARS} characters"
            )

    async def result(self) -> IdempotentRequest | None:
        """What the first such request led to. Raises Conflict when that was another request."""
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
            sealed = vault.seal(secret, "idempotent_requests", "secret", result_id)
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
        return vault.open(kept.secret or "", "idempotent_requests", "secret", kept.result_id)

    async def reserve(self) -> UUID:
        """The id of a run about to begin, kept before it does; `release` takes that back."""
        self._reserved = uuid7()
        if self._key is not None:
            async with self._ctx.db() as db:
                await self.keep(db, self._reserved)
        return self._reserved

    async def release(self) -> None:
        """The run did not begin, so the request may be sent again."""
        if self._key is not None:
            async with self._ctx.db() as db:
                await forget_request(db, self._reserved)
