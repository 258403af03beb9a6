"""Bringing a database to the version this server needs."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from goclaw.core.errors import Conflict
from goclaw.store.away import unavailable_when_away
from goclaw.store.connections import open_engine

LOCK: Final = 0x676F636C61770001
"""The advisory lock that lets one server migrate while others wait."""

HERE: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = (HERE / "migrations", HERE.parent / "migrations")
"""In an installed wheel, and in a checkout."""


def _scripts() -> Config:
    config = Config()
    folder = next(folder for folder in FOLDERS if (folder / "env.py").exists())
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def newest_version() -> str:
    """The version this server was written for."""
    head = ScriptDirectory.from_config(_scripts()).get_current_head()
    assert head is not None
    return head


def _upgrade(connection: Connection) -> str:
    config = _scripts()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    version = MigrationContext.configure(connection).get_current_revision()
    if version is not None and version not in known:
        raise Conflict("database_newer", version=version, known=newest_version())
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return newest_version()


async def migrate(dsn: str) -> str:
    """Gives the version the database has now. Raises Conflict when it is newer than this
    server, Unavailable when it is away.
    """
    engine = open_engine(dsn, 1)
    try:
        with unavailable_when_away():
            async with engine.begin() as connection:
                return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def database_version(dsn: str) -> str | None:
    """The version the database has; None for one never migrated."""
    engine = open_engine(dsn, 1)
    try:
        with unavailable_when_away():
            async with engine.connect() as connection:
                return await connection.run_sync(
                    lambda sync: MigrationContext.configure(sync).get_current_revision()
                )
    finally:
        await engine.dispose()
