"""`goclaw backup`"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Final

import typer

from goclaw.cli.session import DataDir, configure_command_logs, one_line_errors, versions
from goclaw.core.errors import Conflict, NotFound, Unavailable
from goclaw.core.settings import Settings, load_settings
from goclaw.embedded.archive import Manifest, write_archive
from goclaw.embedded.dump import dump_database
from goclaw.embedded.postgres import MAJOR, attached, has_database
from goclaw.security.key_ring import key_ring
from goclaw.security.keys import Key

SNAPSHOT: Final = "goclaw.app:snapshot"

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A file that is not there yet.", dir_okay=False)],
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key",
            help="Put the encryption key in, too: whoever has the file can then read the secrets.",
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write the embedded database into a file, also while the server runs."""
    with one_line_errors(), file_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        refuse_external(settings)
        if not has_database(settings.data_dir):
            raise NotFound("database_missing", folder=settings.data_dir)
        keys = keys_of(settings)
        if with_key and not keys:
            raise Unavailable("encryption_key_missing")
        with attached(settings.data_dir, settings.db_connections) as database:
            if asyncio.run(versions(database.dsn))[0] is None:
                raise NotFound("database_missing", folder=settings.data_dir)
            text = "\n".join(key.raw.hex() for key in keys) if with_key else None
            write = partial(write_backup, file.absolute(), key=text)
            manifest = asyncio.run(write(database.dsn))
    typer.echo(f"{file}: {file.stat().st_size} bytes, schema {manifest.schema_version}")
    typer.echo(key_note(manifest))


async def write_backup(file: Path, dsn: str, *, key: str | None) -> Manifest:
    """All of one moment. Raises Conflict, Unavailable, OSError."""
    async with resolve_name(SNAPSHOT)(dsn) as moment:
        manifest = Manifest(
            program=version("goclaw"),
            made_at=datetime.now(UTC),
            schema_version=moment.schema_version,
            postgres=int(MAJOR),
            key_ids=moment.key_ids,
            holds_key=key is not None,
        )
        dump = partial(dump_database, dsn, moment.id)
        await asyncio.to_thread(write_archive, file, manifest, dump, key)
    return manifest


def key_note(manifest: Manifest) -> str:
    if manifest.holds_key:
        return "The encryption key is in it: keep it like a password."
    if not manifest.key_ids:
        return "There are no stored secrets in it."
    named = ", ".join(manifest.key_ids)
    return f"The secrets in it need the encryption key {named}, which is not in it: keep a copy."


def keys_of(settings: Settings) -> list[Key]:
    """Those that secrets are stored with, the one that writes first. Raises UnusableKey."""
    return key_ring(settings, embedded=True).reading()


def refuse_external(settings: Settings) -> None:
    """Raises Conflict when the database is none of ours to copy."""
    if settings.postgres_dsn is not None:
        raise Conflict("database_external")


@contextmanager
def file_errors() -> Iterator[None]:
    """Raises Unavailable for a disk that is full, a file that may not be read and the like."""
    try:
        yield
    except OSError as error:
        raise Unavailable("backup_failed", reason=error) from error
