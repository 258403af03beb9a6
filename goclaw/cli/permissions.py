"""`goclaw permissions`"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any, Final

import typer

from goclaw.cli.main import COMMANDS
from goclaw.core.callers import Scope
from goclaw.resolvers.operation import OPERATIONS
from goclaw.resolvers.reach import operations_of

FIELDS: Final = "goclaw.schema.permissions:fields"
ROUTES: Final = "goclaw.rest_compat.permissions:routes"

HEAD: Final = """\
# Permissions

Written by `goclaw permissions --write docs/permissions.md`; a test compares it with the program.

Every operation names one scope, and every door leads to the same operations, so what a caller may
do does not depend on how it is asked. `operator.write` implies `operator.read`, `operator.admin`
implies all; `operator.approvals` and `operator.pairing` imply nothing. An operation without a scope
may be asked by anybody, `get_me` by anybody who is signed in.

Scopes say what may be done, the user says with whose rows: a key acts as the user it is bound to,
or as the one that the call names; without any it sees what is there for everybody, and writes
nothing that belongs to a user. An administrator's credential without a user, and an owner of the
server (`GOCLAW_OWNER_IDS`), see all rows.

Nobody signed in is refused with 401, a missing scope with 403. A row one may not see is 404, one
that may be seen and not changed is 403.
"""

ROWS: Final = {
    "activity": ("what the caller did", ""),
    "agents": (
        "agents the caller owns, was given, or that are default",
        "agents the caller owns or administers by a share",
    ),
    "agent_instances": (
        "the caller's own, and those of agents the caller owns or administers by a share",
        "users of agents the caller owns or administers by a share",
    ),
    "context_files": (
        "agents the caller owns or administers by a share",
        "agents the caller owns or administers by a share",
    ),
    "api_keys": ("every key", "every key"),
    "builtin_tools": ("every built-in tool; settings for administrators", "every built-in tool"),
    "chat": ("", "an agent the caller may use; the caller's own conversations"),
    "checkup": ("the server", ""),
    "cron": (
        "the caller's own cron jobs",
        "the caller's own cron jobs, with an agent the caller may use",
    ),
    "agent_links": (
        "links of agents the caller owns, and those between agents the caller may use",
        "links of agents the caller owns or administers by a share",
    ),
    "delegations": ("tasks that agents gave in the caller's name", ""),
    "events": ("changes of rows the caller may see, and the caller's own runs", ""),
    "figures": ("the worker that answers", ""),
    "following": ("the caller's own runs", ""),
    "providers": ("every provider, without its key", "every provider"),
    "run_stops": ("the server", ""),
    "runs": ("the caller's own runs", "the caller's own runs and conversations"),
    "sessions": ("the caller's own conversations", "the caller's own conversations"),
    "sign_in": ("the caller's own signed-in browsers", "the caller's own signed-in browsers"),
    "system": ("the server", ""),
    "traces": ("the caller's own runs", ""),
    "wakes": ("", "an agent the caller may use; the caller's own conversations"),
    "usage": ("totals of the caller's own runs, and of agents the caller owns", ""),
}
"""Whose rows are read and changed, by the module of the operation."""

EXCEPTIONS: Final = {
    "create_agent": "a new agent of the caller",
    "create_api_key": "a new key",
    "create_provider": "a new provider",
    "get_me": "the caller",
    "list_costs": "totals of the caller's own runs, and of agents the caller owns",
    "list_shares": "shares of agents the caller administers, else the caller's own",
    "purge_user": "everything of the user that is named",
    "resume_runs": "every run",
    "rotate_encryption": "every stored secret",
    "sign_in": "a new signed-in browser of the caller",
    "sign_out": "the signed-in browser that calls",
    "stop_all_runs": "every run",
    "transfer_agents": "agents of the user that is named",
    "update_builtin_tool": "every built-in tool",
}

app = typer.Typer()


@app.command()
def permissions(
    write: Annotated[
        Path | None, typer.Option(help="Write it into this file.", dir_okay=False)
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(help="Fail unless this file holds it.", dir_okay=False, exists=True),
    ] = None,
) -> None:
    """Print which scope each operation needs and what it is called at each door."""
    text = document()
    if write is not None:
        write.write_text(text, encoding="utf-8")
    elif check is None:
        typer.echo(text, nl=False)
    elif check.read_text(encoding="utf-8") != text:
        again = f"goclaw permissions --write {check}"
        typer.echo(f"goclaw: {check} is out of date: run `{again}`", err=True)
        raise typer.Exit(1)


def document() -> str:
    """The table in Markdown. Raises LookupError for a module that `ROWS` says nothing of."""
    sources = (resolve_name(FIELDS), resolve_name(ROUTES), commands)
    doors = [_by_operation(source()) for source in sources]
    lines = [HEAD, "| Operation | Scope | Rows | GraphQL | HTTP | Command line |", "|" + "---|" * 6]
    for name, operation in sorted(OPERATIONS.items()):
        scope = "none" if operation.scope is None else f"`{operation.scope}`"
        cells = [f"`{name}`", scope, rows_of(name), *(_cell(door[name]) for door in doors)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def rows_of(name: str) -> str:
    operation = OPERATIONS[name]
    if name in EXCEPTIONS:
        return EXCEPTIONS[name]
    module = operation.module.rpartition(".")[2]
    if module not in ROWS:
        raise LookupError(f"goclaw/cli/permissions.py: ROWS does not say whose rows {module} has")
    read, changed = ROWS[module]
    return changed if operation.scope is Scope.WRITE else read


def _by_operation(pairs: Iterator[tuple[str, str]]) -> defaultdict[str, list[str]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for operation, name in pairs:
        if name not in names[operation]:
            names[operation].append(name)
    return names


def _cell(names: list[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def commands() -> Iterator[tuple[str, str]]:
    """Operation and command: `goclaw keys create`."""
    for name, place in COMMANDS.items():
        group: typer.Typer = resolve_name(place)
        for command in group.registered_commands:
            callback: Any = command.callback
            word = command.name or callback.__name__
            full = f"goclaw {name} {word}" if group.registered_callback else f"goclaw {name}"
            for operation in operations_of(callback):
                yield operation, full
