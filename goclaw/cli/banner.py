"""What is printed when the server is ready."""

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from goclaw.core.host import Host
from goclaw.core.settings import Settings, default_data_dir, is_loopback

DOORS = (("Page", "/"), ("GraphiQL", "/graphql"), ("OpenAI API", "/v1"), ("API reference", "/docs"))


def print_banner(host: Host) -> None:
    table = Table.grid(padding=(0, 2))
    for name, path in DOORS:
        table.add_row(f"  {name}", f"{base_url(host)}{path}")
    table.add_row()
    table.add_row("  Database", database_line(host))
    table.add_row("  Model", model_line(host))
    table.add_row("  Sign-in", sign_in_line(host))
    console = Console(highlight=False, markup=False)
    with console.capture() as banner:
        console.print(Text("\nGoClaw is ready\n", style="bold"))
        console.print(table)
        if host.settings.is_open:
            # Not wrapped, so that it can be copied.
            console.print(f"\n  To make an API key:  {key_command(host.settings)}", soft_wrap=True)
        console.print("\n  Ctrl-C stops it.\n")
    sys.stdout.write(banner.get())
    sys.stdout.flush()


def key_command(settings: Settings) -> str:
    """As it has to be typed to reach this server's database."""
    command = f"{program()} keys create my-key"
    if settings.postgres_dsn is None and settings.data_dir != default_data_dir():
        command = f"{command} --data-dir {shlex.quote(str(settings.data_dir))}"
    return command


def program() -> str:
    """What this program is called from here: `goclaw`, or the path of one not in PATH."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m goclaw"
    found = shutil.which(called.name)
    in_path = found is not None and Path(found).resolve() == called.resolve()
    return called.name if in_path else shlex.quote(str(called))


def base_url(host: Host) -> str:
    return reachable_url(host.settings, host.port)


def reachable_url(settings: Settings, port: int) -> str:
    """Where this machine reaches the server; no slash at its end."""
    name = settings.host
    if name in {"0.0.0.0", "::"}:  # noqa: S104
        name = "localhost"
    elif ":" in name:
        name = f"[{name}]"
    return f"{settings.scheme}://{name}:{port}{settings.path_prefix}"


def database_line(host: Host) -> str:
    if host.embedded_database:
        return f"embedded PostgreSQL in {host.settings.data_dir}"
    return "PostgreSQL named by GOCLAW_POSTGRES_DSN"


def model_line(host: Host) -> str:
    keyed = ", ".join(sorted(host.settings.provider_keys))
    local = (
        f"embedded {host.local_model.name}, small and only for a first try"
        if host.local_model
        else f"no embedded model: {host.local_model_missing}"
    )
    return f"{keyed} (keys from the environment); {local}" if keyed else local


def sign_in_line(host: Host) -> str:
    if not host.settings.is_open:
        return "GOCLAW_GATEWAY_TOKEN or an API key"
    if is_loopback(host.settings.host):
        return "none: open to everybody on this machine; set GOCLAW_GATEWAY_TOKEN to change that"
    return "none: OPEN TO EVERYBODY who reaches this address; set GOCLAW_GATEWAY_TOKEN"
