"""What has to hold before the first worker starts."""

from typing import Final

from goclaw.core.host import Host
from goclaw.security.key_ring import key_ring
from goclaw.security.stored_secrets import refuse_unknown_keys
from goclaw.security.vault import Vault
from goclaw.store.database import open_database
from goclaw.store.migrate import migrate

CONNECTIONS: Final = 2


async def prepare(host: Host) -> None:
    """The database has our version, its secrets can be read, and new ones can be stored where
    the key is ours to make: a missing one is made only after nothing was found to need it.

    Raises Conflict for a newer database, Unavailable for one that is away and for secrets
    under an unknown key, UnusableKey.
    """
    await migrate(host.dsn)
    keys = key_ring(host.settings, embedded=host.embedded_database)
    database = await open_database(
        host.dsn, CONNECTIONS, statement_cache=host.settings.statement_cache
    )
    try:
        await refuse_unknown_keys(database, Vault(keys))
    finally:
        await database.close()
    if keys.file is not None and not keys.is_configured:
        keys.file.make()
