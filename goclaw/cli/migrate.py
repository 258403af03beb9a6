"""`goclaw migrate`"""

import asyncio
from pkgutil import resolve_name
from typing import Annotated

import typer

from goclaw.cli.session import (
    MIGRATE,
    DataDir,
    configure_command_logs,
    host_of,
    one_line_errors,
    versions,
)
from goclaw.core.settings import Settings, load_settings
from goclaw.embedded.postgres import has_database

app = typer.Typer(add_completion=False)


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if there is something to do.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database up to date. goclaw serve does so by itself when it starts."""
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        if check:
            _check(settings)
        else:
            with host_of(settings) as host:
                version = asyncio.run(resolve_name(MIGRATE)(host.dsn))
            typer.echo(f"The database is up to date: version {version}.")


def _check(settings: Settings) -> None:
    if settings.postgres_dsn is None and not has_database(settings.data_dir):
        typer.echo(f"There is no database in {settings.data_dir} yet; run: goclaw migrate")
        raise typer.Exit(1)
    with host_of(settings) as host:
        found, newest = asyncio.run(versions(host.dsn))
    if found == newest:
        typer.echo(f"The database is up to date: version {newest}.")
        return
    remedy = "run: goclaw migrate" if found is None or found < newest else "use a newer goclaw"
    typer.echo(f"The database has version {found or 'none'}, this is {newest}; {remedy}")
    raise typer.Exit(1)
