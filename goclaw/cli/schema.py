"""`goclaw schema`"""

from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Final

import typer

SDL: Final = "goclaw.schema.root:sdl"

app = typer.Typer()


@app.command()
def schema(
    write: Annotated[
        Path | None, typer.Option(help="Write it into this file.", dir_okay=False)
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(help="Fail unless this file holds it.", dir_okay=False, exists=True),
    ] = None,
) -> None:
    """Print the GraphQL schema, or compare it with a file."""
    text: str = resolve_name(SDL)()
    if write is not None:
        write.write_text(text, encoding="utf-8")
    elif check is None:
        typer.echo(text, nl=False)
    elif check.read_text(encoding="utf-8") != text:
        typer.echo(f"goclaw: {check} is out of date: run `goclaw schema --write {check}`", err=True)
        raise typer.Exit(1)
