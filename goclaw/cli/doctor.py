"""`goclaw doctor`"""

import json
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from goclaw.cli.check_database import check_database
from goclaw.cli.check_machine import check_machine
from goclaw.cli.session import DataDir, configure_command_logs
from goclaw.core.settings import InvalidSettings, load_settings
from goclaw.models.findings import Finding, FindingStatus, failed, ok

STYLES: Final = {
    FindingStatus.OK: "green",
    FindingStatus.INFO: "blue",
    FindingStatus.WARNING: "yellow",
    FindingStatus.FAILED: "bold red",
}

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Check everything the server needs, and say how to mend what is wrong.

    Exits with 1 if something failed. Nothing is changed.
    """
    findings = examine(offline=offline, data_dir=data_dir)
    well = not any(finding.status is FindingStatus.FAILED for finding in findings)
    if as_json:
        report = {"well": well, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(report, indent=2))
    else:
        show(findings)
    if not well:
        raise typer.Exit(1)


def examine(*, offline: bool, data_dir: DataDir) -> list[Finding]:
    try:
        settings = load_settings(data_dir=data_dir)
    except InvalidSettings as error:
        fix = "correct it in the environment or in goclaw.toml; docs/settings.md lists them all"
        return [failed("settings", line, fix) for line in str(error).splitlines()]
    configure_command_logs(settings)
    return [
        ok("settings", f"listens on {settings.host}:{settings.port}"),
        *check_machine(settings),
        *check_database(settings, offline=offline),
    ]


def show(findings: list[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        line = Text(f"{finding.status:<8}", style=STYLES[finding.status])
        line.append(f"{finding.subject:<{width}}  {finding.text}", style="default")
        console.print(line)
        if finding.fix:
            console.print(Text(f"{'':<{8 + width}}  → {finding.fix}", style="dim"))
    console.print(Text(f"\n{verdict(findings)}"))


def verdict(findings: list[Finding]) -> str:
    count = dict.fromkeys(FindingStatus, 0)
    for finding in findings:
        count[finding.status] += 1
    if count[FindingStatus.FAILED] + count[FindingStatus.WARNING] == 0:
        return "All is well."
    return f"{count[FindingStatus.FAILED]} failed, {count[FindingStatus.WARNING]} to look at."
