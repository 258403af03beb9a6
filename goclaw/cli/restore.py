"""`goclaw restore`"""

import asyncio
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Final

import typer

from goclaw.cli.backup import file_errors, keys_of, refuse_external
from goclaw.cli.session import (
    MIGRATE,
    NEWEST_VERSION,
    DataDir,
    configure_command_logs,
    one_line_errors,
)
from goclaw.core.errors import Conflict
from goclaw.core.settings import Settings, load_settings
from goclaw.embedded.archive import Archive, Manifest, opened_archive
from goclaw.embedded.dump import beside, load_database
from goclaw.embedded.postgres import DATABASE, MAJOR, EmbeddedPostgres
from goclaw.security.key_file import KeyFile
from goclaw.security.key_ring import OLDER_SETTING
from goclaw.security.keys import Key, parse_key

IS_EMPTY: Final = "goclaw.app:is_empty"
MAKE_SPARE: Final = "goclaw.app:make_spare"
DROP_SPARE: Final = "goclaw.app:drop_spare"
USE_SPARE: Final = "goclaw.app:use_spare"
MAINTENANCE: Final = "postgres"

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What goclaw backup wrote.", dir_okay=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a database that is there, for good.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup in the place of the embedded database, while no server runs on it."""
    with one_line_errors(), file_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        refuse_external(settings)
        with opened_archive(file) as archive:
            refuse_newer(archive.manifest)
            keys = keys_in(archive)
            postgres = EmbeddedPostgres(settings.data_dir, settings.db_connections)
            database = postgres.start()
            try:
                asyncio.run(put_back(archive, database.dsn, force=force))
            finally:
                postgres.stop()
            take_keys(keys, settings)
            manifest = archive.manifest
        typer.echo(f"Restored {file}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC.")
        note_missing_keys(manifest, settings)


def refuse_newer(manifest: Manifest) -> None:
    """Raises Conflict for a backup that this program does not understand."""
    newest = resolve_name(NEWEST_VERSION)()
    if manifest.schema_version > newest:
        raise Conflict("backup_newer", version=manifest.schema_version, known=newest)
    if manifest.postgres > int(MAJOR):
        version = f"PostgreSQL {manifest.postgres}"
        raise Conflict("backup_newer", version=version, known=MAJOR)


async def put_back(archive: Archive, dsn: str, *, force: bool) -> None:
    """Into a database beside the present one, which gives way when all has gone well.

    Raises Conflict for one that is not empty, unless forced, and for one in use; Unavailable.
    """
    if not force and not await resolve_name(IS_EMPTY)(dsn):
        raise Conflict("database_not_empty")
    maintenance = beside(dsn, MAINTENANCE)
    spare = beside(dsn, await resolve_name(MAKE_SPARE)(maintenance))
    try:
        await asyncio.to_thread(load_database, spare, archive.copy_dump)
        await resolve_name(MIGRATE)(spare)
        await resolve_name(USE_SPARE)(maintenance, DATABASE)
    except BaseException:
        await resolve_name(DROP_SPARE)(maintenance)
        raise


def keys_in(archive: Archive) -> list[Key]:
    """The one that writes first. Raises InvalidInput, UnusableKey."""
    return [parse_key(line, "the backup") for line in (archive.key or "").split()]


def take_keys(keys: list[Key], settings: Settings) -> None:
    """The keys in the backup become the folder's; others there go on reading. A key in the
    settings stays the one that writes.
    """
    file = KeyFile(settings.data_dir)
    for key in reversed(keys):
        file.add(key)


def note_missing_keys(manifest: Manifest, settings: Settings) -> None:
    missing = set(manifest.key_ids) - {key.id for key in keys_of(settings)}
    if missing:
        named = ", ".join(sorted(missing))
        where = KeyFile(settings.data_dir).path
        typer.echo(
            f"Its secrets need the encryption key {named}: put it into {where} or "
            "GOCLAW_ENCRYPTION_KEY before the server starts.",
            err=True,
        )
    if manifest.unnamed_key and not manifest.holds_key:
        typer.echo(
            f"Secrets of an older server are in it, whose key {OLDER_SETTING} may name.", err=True
        )
