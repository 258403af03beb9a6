"""`goclaw openapi`"""

from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Final

import typer

DOCUMENT: Final = "goclaw.rest_compat.openapi:printed"

app = typer.Typer()


@app.command()
def openapi(
    check: Annotated[
        Path | None, typer.Option(help="Fail when this file is not the document.")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write the document to this file.")] = None,
) -> None:
    """Print the OpenAPI document of `/v1`."""
    document: str = resolve_name(DOCUMENT)()
    if write is not None:
        write.write_text(document)
    elif check is None:
        typer.echo(document, nl=False)
    elif not check.exists() or check.read_text() != document:
        typer.echo(f"{check} is out of date; run `goclaw openapi --write {check}`", err=True)
        raise typer.Exit(1)
