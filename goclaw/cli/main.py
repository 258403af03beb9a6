"""The commands. Each is a module with a Typer `app`, imported when it is called for."""

from pkgutil import resolve_name
from typing import Any, Final

import typer
from typer.core import TyperGroup

COMMANDS: Final = {
    "backup": "goclaw.cli.backup:app",
    "chat": "goclaw.cli.chat:app",
    "doctor": "goclaw.cli.doctor:app",
    "keys": "goclaw.cli.keys:app",
    "migrate": "goclaw.cli.migrate:app",
    "openapi": "goclaw.cli.openapi:app",
    "permissions": "goclaw.cli.permissions:app",
    "recover-admin": "goclaw.cli.recover_admin:app",
    "restore": "goclaw.cli.restore:app",
    "schema": "goclaw.cli.schema:app",
    "purge-user": "goclaw.cli.purge_user:app",
    "serve": "goclaw.cli.serve:app",
    "upgrade-database": "goclaw.cli.upgrade_database:app",
}


class LazyGroup(TyperGroup):
    """`goclaw serve` starts in a fraction of the time that importing every command takes."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(resolve_name(COMMANDS[cmd_name]))
        command.name = cmd_name
        return command


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def goclaw() -> None:
    """GoClaw, a gateway for AI agents."""
