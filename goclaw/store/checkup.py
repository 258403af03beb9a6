"""What the database says about itself, for whoever looks after it."""

from typing import Final

from goclaw.models.system import DatabaseState
from goclaw.store.database import Reads

STATE: Final = """
    select current_setting('server_version') as server_version,
        (select count(*)::int from pg_stat_activity where backend_type = 'client backend')
            as connections,
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int as max_connections,
        (select extversion from pg_extension where extname = 'vector') as vector,
        exists (select from pg_available_extensions where name = 'vector') as vector_available
"""


async def database_state(reads: Reads) -> DatabaseState:
    (row,) = await reads.records(STATE, ())
    return DatabaseState(**dict(row))
