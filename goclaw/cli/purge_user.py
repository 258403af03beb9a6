"""`goclaw purge-user`"""

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from goclaw.cli.session import (
    DataDir,
    as_administrator,
    configure_command_logs,
    one_line_errors,
)
from goclaw.core.settings import load_settings
from goclaw.models.purges import PurgeReport, UserPurge
from goclaw.resolvers.purges import purge_user as forget

app = typer.Typer(add_completion=False)


@app.command("purge-user")
def purge_user(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    delete_agents: Annotated[
        bool, typer.Option("--delete-agents", help="The user's agents go too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a user's data for good, and report what went."""
    if not yes:
        typer.confirm(f"Delete the data of {user!r} for good?", abort=True, err=True)
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        data = UserPurge(delete_agents=delete_agents)
        work = partial(forget, user_id=user, data=data)
        report = as_administrator(settings, work, "goclaw purge-user")
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        show(report)


def show(report: PurgeReport) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Table")
    for heading in ("Deleted", "Anonymised"):
        table.add_column(heading, justify="right")
    for row in report.tables:
        table.add_row(row.table, str(row.deleted), str(row.anonymised))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"\nWhat stays stands under {report.pseudonym}.", soft_wrap=True)
