"""What the database says about itself, for whoever looks after it."""

from typing import Final

from goclaw.models.system import DatabaseState, KeysState
from goclaw.store.database import Reads

STATE: Final = """
    select current_setting('server_version') as server_version,
        (select version_num from alembic_version) as version,
        (select count(*)::int from pg_stat_activity where backend_type = 'client backend')
            as connections,
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int as max_connections,
        (select extversion from pg_extension where extname = 'vector') as vector,
        exists (select from pg_available_extensions where name = 'vector') as vector_available
"""

UNUSED_DAYS: Final = 90
KEYS: Final = """
    with working as (
        select 'operator.admin' = any (scopes) as admin, expires_at is null as endless,
            coalesce(last_used_at, created_at) < now() - make_interval(days => $1) as unused
        from api_keys where not revoked and (expires_at is null or expires_at > now())),
    refused as (  -- a row tells of a minute and an address
        select coalesce(sum((details ->> 'attempts')::bigint), 0)::bigint as attempts
        from activity_logs
        where entity_type = 'credential' and action = 'credential.refused'
            and created_at > now() - interval '1 hour')
    select count(*) as working, count(*) filter (where admin) as admin,
        count(*) filter (where endless) as endless,
        count(*) filter (where endless and admin) as endless_admin,
        count(*) filter (where unused) as unused, (select attempts from refused) as refused
    from working
"""


async def database_state(reads: Reads) -> DatabaseState:
    (row,) = await reads.records(STATE, ())
    return DatabaseState(**dict(row))


async def keys_state(reads: Reads) -> KeysState:
    (row,) = await reads.records(KEYS, (UNUSED_DAYS,))
    return KeysState(**dict(row), unused_days=UNUSED_DAYS)
