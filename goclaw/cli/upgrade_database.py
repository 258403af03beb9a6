"""`goclaw upgrade-database`"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from goclaw.cli.backup import file_errors, refuse_external, write_backup
from goclaw.cli.restore import put_back, refuse_newer
from goclaw.cli.session import DataDir, configure_command_logs, one_line_errors
from goclaw.core.errors import Conflict, NotFound
from goclaw.core.settings import Settings, load_settings
from goclaw.embedded.archive import opened_archive
from goclaw.embedded.postgres import MAJOR, EmbeddedPostgres
from goclaw.embedded.upgrade import swap, workshop, written_by

app = typer.Typer(add_completion=False)


@app.command("upgrade-database")
def upgrade_database(
    backup: Annotated[
        Path | None,
        typer.Option(help="What goclaw backup of the old version wrote last.", dir_okay=False),
    ] = None,
    old_binaries: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the old PostgreSQL's own `postgres`, such as "
            "/usr/lib/postgresql/17/bin, in place of a backup.",
            file_okay=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Move the embedded database to this program's PostgreSQL. The old folder is kept."""
    with one_line_errors(), file_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        refuse_external(settings)
        found = _old_version(settings)
        if found == int(MAJOR):
            typer.echo(f"The database is one of PostgreSQL {MAJOR} already.")
            return
        if (backup is None) == (old_binaries is None):
            raise Conflict("upgrade_source", found=found, known=MAJOR)
        if old_binaries is not None:
            backup = _taken_out(settings, found, old_binaries)
        assert backup is not None
        kept = _move(settings, backup)
    typer.echo(f"The database is one of PostgreSQL {MAJOR} now; the old one is kept in {kept}.")


def _old_version(settings: Settings) -> int:
    """Raises NotFound without a database, Conflict for one of a newer PostgreSQL."""
    found = written_by(settings.data_dir)
    if found is None:
        raise NotFound("database_missing", folder=settings.data_dir)
    if found > int(MAJOR):
        raise Conflict("backup_newer", version=f"PostgreSQL {found}", known=MAJOR)
    return found


def _taken_out(settings: Settings, found: int, old_binaries: Path) -> Path:
    """A backup made with the old server, kept in the data folder; that of an attempt that failed
    gives way.
    """
    file = settings.data_dir / f"before-{MAJOR}.goclaw"
    file.unlink(missing_ok=True)
    old = EmbeddedPostgres(
        settings.data_dir, settings.db_connections, old_binaries.absolute(), str(found)
    )
    database = old.start()
    try:
        asyncio.run(write_backup(file, database.dsn))
    finally:
        old.stop()
    return file


def _move(settings: Settings, backup: Path) -> Path:
    """Where the old database is now; nothing has changed if this raises."""
    EmbeddedPostgres(settings.data_dir, settings.db_connections).refuse_in_use()
    with opened_archive(backup) as archive:
        refuse_newer(archive.manifest)
        new = EmbeddedPostgres(workshop(settings.data_dir), settings.db_connections)
        database = new.start()
        try:
            asyncio.run(put_back(archive, database.dsn, force=False))
        finally:
            new.stop()
    return swap(settings.data_dir)
