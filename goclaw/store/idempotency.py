from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from goclaw.core.errors import Conflict
from goclaw.models.idempotency import IdempotentRequest
from goclaw.models.shapes import now
from goclaw.store.database import Database, Db, Reads, fetch
from goclaw.store.query import Query

KEPT_FOR: Final = timedelta(hours=24)

KEPT = Query[IdempotentRequest](
    lambda _: select(IdempotentRequest).where(
        col(IdempotentRequest.actor) == bindparam("actor"),
        col(IdempotentRequest.operation) == bindparam("operation"),
        col(IdempotentRequest.key) == bindparam("key"),
    )
)
FORGET: Final = "delete from idempotent_requests where created_at < $1"


async def kept_request(
    reads: Reads, actor: str, operation: str, key: str
) -> IdempotentRequest | None:
    return await KEPT.fetch_one(reads, actor=actor, operation=operation, key=key)


async def keep_request(db: Db, request: IdempotentRequest) -> None:
    """Raises Conflict when the same key is being used at this moment."""
    db.add(request)
    try:
        await db.flush()
    except IntegrityError as error:
        raise Conflict("idempotency_mismatch", field="Idempotency-Key") from error


async def forget_old_requests(database: Database) -> None:
    await fetch(database.pool, FORGET, (now() - KEPT_FOR,))
