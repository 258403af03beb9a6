"""`goclaw recover-admin`"""

from typing import Annotated

import typer

from goclaw.cli.keys import AsJson, all_keys, seconds, show_new
from goclaw.cli.session import (
    DataDir,
    as_administrator,
    configure_command_logs,
    one_line_errors,
)
from goclaw.core.callers import Scope
from goclaw.core.settings import load_settings
from goclaw.models.api_keys import ApiKeyCreate, CreatedApiKey
from goclaw.models.parsing import parse_shape
from goclaw.models.shapes import now
from goclaw.resolvers.api_keys import create_api_key, revoke_api_key
from goclaw.resolvers.context import Context

app = typer.Typer(add_completion=False)


@app.command("recover-admin")
def recover_admin(
    name: Annotated[str, typer.Option(help="What the key is called.")] = "recovery",
    expires: Annotated[str, typer.Option(help="Stops working after this time.")] = "24h",
    revoke_others: Annotated[
        bool,
        typer.Option("--revoke-others", help="Revoke all other keys of administrators."),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make an administrator's key: the first one, or when token and keys are lost."""
    expires_in = seconds(expires)
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        wanted = {"name": name, "scopes": [Scope.ADMIN], "expires_in": expires_in}
        data = parse_shape(ApiKeyCreate, wanted)

        async def recover(ctx: Context) -> tuple[CreatedApiKey, int]:
            key = await create_api_key(ctx, data)
            return key, await _revoke_others(ctx, key) if revoke_others else 0

        key, revoked = as_administrator(settings, recover, "goclaw recover-admin")
    if as_json:
        typer.echo(key.model_dump_json(indent=2))
        return
    show_new(key)
    if revoke_others:
        typer.echo(f"Other administrators' keys revoked: {revoked}")


async def _revoke_others(ctx: Context, kept: CreatedApiKey) -> int:
    """Tells how many there were that still worked."""
    others = [
        key
        for key in await all_keys(ctx)
        if key.id != kept.id
        and Scope.ADMIN in key.scopes
        and not key.revoked
        and (key.expires_at is None or key.expires_at > now())
    ]
    for key in others:
        await revoke_api_key(ctx, key.id)
    return len(others)
