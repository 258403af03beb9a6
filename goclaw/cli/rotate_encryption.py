"""`goclaw keys rotate-encryption`"""

from functools import partial
from typing import Annotated

import typer

from goclaw.cli.session import DataDir, as_administrator, configure_command_logs, one_line_errors
from goclaw.core.settings import load_settings
from goclaw.models.sealed import SealedColumn
from goclaw.models.system import KeyRotation
from goclaw.resolvers.encryption import rotate_encryption
from goclaw.security.keys import Key, UnusableKey, parse_key

WARNING = "Secrets that cannot be read will be gone for good. Go on?"


def rotate(
    key_file: Annotated[
        typer.FileText | None,
        typer.Option(help="A file with the new key, - for standard input; unset: one is made."),
    ] = None,
    discard_unreadable: Annotated[
        bool,
        typer.Option("--discard-unreadable", help="Give up secrets whose key is lost."),
    ] = False,
    forget_old_keys: Annotated[
        bool,
        typer.Option(
            "--forget-old-keys",
            help="Make no new key; drop the older ones once no stored secret needs them.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Encrypt every stored secret anew. The server may go on running.

    In a data folder with a new key, after an earlier run was finished; else with
    GOCLAW_ENCRYPTION_KEY. Exits with 1 if secrets stayed behind.
    """
    if forget_old_keys and key_file is not None:
        raise typer.BadParameter("--forget-old-keys takes no new key")
    if discard_unreadable and not yes:
        typer.confirm(WARNING, abort=True, err=True)
    with one_line_errors():
        settings = load_settings(data_dir=data_dir)
        configure_command_logs(settings)
        work = partial(
            rotate_encryption,
            on_moved=_quiet if as_json else _show_progress,
            key=None if key_file is None else _key_in(key_file),
            discard=discard_unreadable,
            forget=forget_old_keys,
        )
        rotation = as_administrator(settings, work)
    typer.echo(rotation.model_dump_json(indent=2) if as_json else "\n".join(_told(rotation)))
    if rotation.unreadable or rotation.busy:
        raise typer.Exit(1)


def _key_in(file: typer.FileText) -> Key:
    try:
        return parse_key(file.read().strip(), file.name)
    except UnicodeDecodeError as error:
        raise UnusableKey(f"{file.name}: not a text") from error


def _quiet(_: SealedColumn, __: int) -> None:
    """JSON is all there is to read."""


def _show_progress(place: SealedColumn, moved: int) -> None:
    typer.echo(f"{place}: {moved} encrypted anew")


def _told(rotation: KeyRotation) -> list[str]:
    new = "new key" if rotation.is_new else "key"
    lines = [f"{rotation.reencrypted} secrets encrypted anew with the {new} {rotation.key_id}."]
    if rotation.discarded:
        lines.append(f"{rotation.discarded} secrets given up.")
    if rotation.forgotten:
        lines.append(f"Forgotten: {', '.join(rotation.forgotten)}.")
    elif rotation.reading:
        lines.append(f"Still known for reading: {', '.join(rotation.reading)}.")
    if rotation.busy:
        lines.append(f"{rotation.busy} were being changed by others: run this again.")
    lines += [f"Cannot be read: {name}" for name in rotation.unreadable]
    return lines
