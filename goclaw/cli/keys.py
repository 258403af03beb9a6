"""`goclaw keys create|list|rotate|revoke|rotate-encryption`"""

import json
import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from goclaw.cli.rotate_encryption import rotate as rotate_encryption
from goclaw.cli.session import (
    DataDir,
    as_administrator,
    configure_command_logs,
    every,
    one_line_errors,
)
from goclaw.core.callers import Scope
from goclaw.core.errors import Conflict, NotFound
from goclaw.core.settings import load_settings
from goclaw.models.api_keys import (
    ApiKey,
    ApiKeyCreate,
    ApiKeyRotate,
    ApiKeyView,
    CreatedApiKey,
)
from goclaw.models.parsing import parse_shape
from goclaw.models.shapes import now
from goclaw.resolvers.agents import get_agent
from goclaw.resolvers.api_keys import (
    create_api_key,
    get_api_key,
    list_api_keys,
    revoke_api_key,
    rotate_api_key,
)
from goclaw.resolvers.context import Context
from goclaw.resolvers.refs import as_id

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
DURATION: Final = re.compile(rf"([1-9]\d{{0,8}})([{''.join(UNITS)}])")
KEY_START: Final = "goclaw_"
PREFIX: Final = re.compile(r"[0-9a-f]{4,8}")

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.command("rotate-encryption")(rotate_encryption)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def keys() -> None:
    """API keys. Whoever may read the server's data folder or database may make them."""


def seconds(text: str) -> int:
    """Of a duration such as 30d; raises typer.BadParameter."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter("give a number and a unit: 45s, 90m, 12h, 30d or 8w")
    return int(match[1]) * UNITS[match[2]]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may do, operator.write unless told; repeatable."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Stops working after this time, such as 30d or 12h.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The only user it may act as.")] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(help="An agent it reaches, by id or key, and no others; repeatable."),
    ] = None,
    rate_limit: Annotated[int | None, typer.Option(help="Calls a minute it may make.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make an API key and show it, this once."""
    expires_in = None if expires is None else seconds(expires)
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        wanted: dict[str, object] = {
            "name": name,
            "scopes": scope or [Scope.WRITE],
            "expires_in": expires_in,
            "user_id": user,
            "rate_limit_per_minute": rate_limit,
        }
        work = partial(_create, wanted=wanted, agents=agent)
        key = as_administrator(settings, work, "goclaw keys create")
    show(key, as_json=as_json)


async def _create(
    ctx: Context, wanted: dict[str, object], agents: list[str] | None
) -> CreatedApiKey:
    ids = [(await get_agent(ctx, ref)).id for ref in agents] if agents else None
    return await create_api_key(ctx, parse_shape(ApiKeyCreate, {**wanted, "agent_ids": ids}))


def show(key: CreatedApiKey, *, as_json: bool) -> None:
    if as_json:
        typer.echo(key.model_dump_json(indent=2))
    else:
        show_new(key)


def show_new(key: CreatedApiKey) -> None:
    until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "without expiry"
    whose = f"as user {key.user_id}" if key.user_id else "as any user"
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"\n{key.name}: {', '.join(key.scopes)}, {whose}, {until}\n")
    console.print(f"  {key.key}\n", style="bold")
    console.print("It is shown this once. Send it as: Authorization: Bearer <key>\n", style="dim")


@app.command("list")
def list_keys(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show all keys, newest first; never their secret part."""
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        rows = as_administrator(settings, all_keys)
    views = [ApiKeyView.model_validate(row, from_attributes=True) for row in rows]
    if as_json:
        typer.echo(json.dumps([view.model_dump(mode="json") for view in views], indent=2))
    elif views:
        Console(highlight=False).print(table_of(views))
    else:
        typer.echo("There are no keys. To make one: goclaw keys create my-key")


def table_of(views: Sequence[ApiKeyView]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Key", "Name", "Scopes", "User", "Last used", "State"):
        table.add_column(heading, overflow="fold")
    for view in views:
        table.add_row(
            f"{KEY_START}{view.prefix}…",
            _plain(view.name),
            "\n".join(scope.removeprefix("operator.") for scope in view.scopes),
            _plain(view.user_id or "any"),
            f"{view.last_used_at:%Y-%m-%d %H:%M}" if view.last_used_at else "never",
            state_of(view),
        )
    return table


def _plain(text: str) -> str:
    """Brackets are markup to rich, and control characters orders to a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text).replace("[", r"\[")


def state_of(view: ApiKeyView) -> str:
    if view.revoked:
        return "[dim]revoked[/]"
    if view.expires_at is None:
        return "[green]works[/]"
    if view.expires_at <= now():
        return "[dim]expired[/]"
    return f"[green]until {view.expires_at:%Y-%m-%d %H:%M}[/]"


@app.command()
def rotate(
    key: Annotated[str, typer.Argument(metavar="ID|PREFIX", help="As goclaw keys list shows.")],
    grace: Annotated[
        str | None,
        typer.Option(help="How long the old secret goes on working, such as 1h; up to 7d."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Give a key a new secret and show it, this once."""
    grace_s = 0 if grace is None else seconds(grace)
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        data = parse_shape(ApiKeyRotate, {"grace_s": grace_s})
        made = as_administrator(settings, partial(_rotate, ref=key, data=data))
    show(made, as_json=as_json)


async def _rotate(ctx: Context, ref: str, data: ApiKeyRotate) -> CreatedApiKey:
    return await rotate_api_key(ctx, id=await _id_of(ctx, ref), data=data)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID|PREFIX", help="As goclaw keys list shows.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a key useless, for good. Revoking it twice is no error."""
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        row = as_administrator(settings, partial(_revoke, ref=key), "goclaw keys revoke")
    view = ApiKeyView.model_validate(row, from_attributes=True)
    if as_json:
        typer.echo(view.model_dump_json(indent=2))
    else:
        typer.echo(f"Revoked: {KEY_START}{view.prefix}… ({view.name})")


async def _revoke(ctx: Context, ref: str) -> ApiKey:
    return await revoke_api_key(ctx, id=await _id_of(ctx, ref))


async def _id_of(ctx: Context, ref: str) -> UUID:
    """Raises NotFound, and Conflict when the prefix fits several keys."""
    id = as_id(ref)
    if id is not None:
        return (await get_api_key(ctx, id)).id
    prefix = ref.removeprefix(KEY_START).rstrip("….")[:8]
    fitting = [row for row in await all_keys(ctx) if row.prefix.startswith(prefix)]
    if not fitting or not PREFIX.fullmatch(prefix):
        raise NotFound("api_key_not_found", id=ref)
    if len(fitting) > 1:
        ids = ", ".join(str(row.id) for row in fitting)
        raise Conflict("api_key_ambiguous", prefix=prefix, ids=ids)
    return fitting[0].id


async def all_keys(ctx: Context) -> list[ApiKey]:
    return await every(partial(list_api_keys, ctx))
