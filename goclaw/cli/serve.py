"""`goclaw serve`"""

from pathlib import Path
from typing import Annotated, Final

import typer

from goclaw.cli.banner import print_banner
from goclaw.cli.supervisor import StartFailed, Supervisor
from goclaw.core.errors import GatewayError
from goclaw.core.logs import configure_logs
from goclaw.core.settings import InvalidSettings, load_settings, refuse_open_address
from goclaw.security.key_ring import key_ring
from goclaw.security.scrub import Scrubber
from goclaw.security.secrets_held import Secrets, secrets_of
from goclaw.security.tls import server_context

APP: Final = "goclaw.app:create_app"
PREPARE: Final = "goclaw.app:prepare"
BAD_SETTINGS: Final = 2

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the embedded database.")] = None,
    path_prefix: Annotated[
        str | None, typer.Option(help="Path under which a proxy publishes the server.")
    ] = None,
    forwarded_allow_ips: Annotated[
        str | None, typer.Option(help="Proxies whose X-Forwarded headers are believed.")
    ] = None,
    allow_public_without_token: Annotated[
        bool | None,
        typer.Option(
            "--allow-public-without-token",
            help="Listen on other addresses than loopback though no token is set.",
        ),
    ] = None,
) -> None:
    """Start the server. What is not given here comes from GOCLAW_* variables or goclaw.toml."""
    arguments = {
        "host": host,
        "port": port,
        "workers": workers,
        "data_dir": data_dir,
        "path_prefix": path_prefix,
        "forwarded_allow_ips": forwarded_allow_ips,
        "allow_public_without_token": allow_public_without_token,
    }
    try:
        settings = load_settings(**arguments)
        refuse_open_address(settings)
        key_ring(settings, embedded=settings.postgres_dsn is None)
        if settings.tls_certificate is not None:
            server_context(settings)
    except InvalidSettings as error:
        typer.echo(f"goclaw: {error}", err=True)
        raise typer.Exit(BAD_SETTINGS) from error
    scrubber = Scrubber(Secrets(secrets_of(settings)))
    configure_logs(settings.log_format, settings.log_level, scrubber.log_line)
    try:
        Supervisor(settings, app=APP, prepare=PREPARE, on_ready=print_banner).run()
    except (GatewayError, StartFailed) as error:
        typer.echo(f"goclaw: {error}", err=True)
        raise typer.Exit(1) from error
