"""`goclaw backup`"""

import asyncio
from collections.abc import Callable, Iterator
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
        if with_key and not keys_of(settings):
            raise Unavailable("encryption_key_missing")
        with attached(settings.data_dir, settings.db_connections) as database:
            if asyncio.run(versions(database.dsn))[0] is None:
                raise NotFound("database_missing", folder=settings.data_dir)
            read_keys = partial(keys_of, settings) if with_key else None
            write = partial(write_backup, file.absolute(), read_keys=read_keys)
            manifest = asyncio.run(write(database.dsn))
    typer.echo(f"{file}: {file.stat().st_size} bytes, schema {manifest.schema_version}")
    typer.echo("\n".join(key_notes(manifest, keys_of(settings))))


async def write_backup(
    file: Path, dsn: str, *, read_keys: Callable[[], list[Key]] | None = None
) -> Manifest:
    """All of one moment. With `read_keys` the keys go in, too; it is called after that moment, as
    a new key is there before anything is encrypted with it.

    Raises Conflict, Unavailable, UnusableKey, OSError.
    """
    async with resolve_name(SNAPSHOT)(dsn) as moment:
        keys = None if read_keys is None else "\n".join(key.raw.hex() for key in read_keys())
        manifest = Manifest(
            program=version("goclaw"),
            made_at=datetime.now(UTC),
            schema_version=moment.schema_version,
            postgres=int(MAJOR),
            key_ids=moment.key_ids,
            unnamed_key=moment.unnamed_key,
            holds_key=keys is not None,
        )
        dump = partial(dump_database, dsn, moment.id)
        await asyncio.to_thread(write_archive, file, manifest, dump, keys)
    return manifest


def key_notes(manifest: Manifest, known: list[Key]) -> Iterator[str]:
    held = {key.id for key in known} if manifest.holds_key else set()
    if manifest.holds_key:
        yield "The encryption key is in it: keep it like a password."
    elif not (manifest.key_ids or manifest.unnamed_key):
        yield "There are no stored secrets in it."
    if missing := ", ".join(id for id in manifest.key_ids if id not in held):
        yield (
            f"The secrets in it need the encryption key {missing}, which is not in it: keep a copy."
        )
    if manifest.unnamed_key and not manifest.holds_key:
        yield (
            "Secrets in it of an older server need the encryption key of that server: keep a copy."
        )


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
