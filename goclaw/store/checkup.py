"""What the database says about itself, for whoever looks after it."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from goclaw.models.providers import Provider
from goclaw.models.system import DatabaseState
from goclaw.store.database import Reads
from goclaw.store.query import Query

STATE: Final = """
    select current_setting('server_version') as server_version,
        (select count(*)::int from pg_stat_activity where backend_type = 'client backend')
            as connections,
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int as max_connections,
        (select extversion from pg_extension where extname = 'vector') as vector,
        exists (select from pg_available_extensions where name = 'vector') as vector_available
"""
MOST_SECRETS: Final = 100


class SealedKey:
    """The row of a provider with a stored key; `api_key` is ciphertext."""

    id: UUID
    name: str
    api_key: str


COLUMNS: tuple[Any, ...] = (col(Provider.id), col(Provider.name), col(Provider.api_key))
SEALED = Query[SealedKey](
    lambda visible: (
        select(*COLUMNS)
        .where(visible(Provider), col(Provider.api_key).is_not(None))
        .order_by(col(Provider.id).desc())
        .limit(MOST_SECRETS)
    )
)


async def database_state(reads: Reads) -> DatabaseState:
    (row,) = await reads.records(STATE, ())
    return DatabaseState(**dict(row))


async def sealed_keys(reads: Reads) -> list[SealedKey]:
    """The newest of them."""
    return await SEALED.fetch(reads)
