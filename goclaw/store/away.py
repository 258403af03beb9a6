"""What a database that is away looks like, and what is told of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from goclaw.core.errors import Unavailable

log = structlog.get_logger()

RETRY_AFTER_S: Final = 2
REFUSED: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
AWAY: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    *REFUSED,
    InterfaceError,
    OperationalError,
)
"""What a database that is away, stopping, full or closed to us looks like."""


@contextmanager
def unavailable_when_away() -> Iterator[None]:
    """Raises Unavailable when the database does not answer."""
    try:
        yield
    except AWAY as error:
        raise unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig, AWAY) or _is_refusal(error):
            raise unavailable(error) from error
        raise


def _is_refusal(error: DBAPIError) -> bool:
    """SQLAlchemy has no class of its own for these."""
    return error.orig is not None and isinstance(error.orig.__cause__, REFUSED)


def unavailable(error: Exception) -> Unavailable:
    log.warning("database.away", error=type(error).__name__)
    return Unavailable("database_unavailable", retry_after_s=RETRY_AFTER_S)
