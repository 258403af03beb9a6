"""`goclaw chat`"""

import asyncio
import readline
import sys
from typing import Annotated, Final, NoReturn
from unicodedata import category

import typer
from pydantic import SecretStr
from rich.console import Console

from goclaw.cli.banner import reachable_url
from goclaw.cli.conversation import Answer, ChatFailed, Peer, ask
from goclaw.cli.session import one_line_errors
from goclaw.core.settings import Settings, load_settings
from goclaw.security.tls import local_context

HINT: Final = "Ctrl-D or /quit ends the chat, /new begins another, Ctrl-C interrupts an answer."
PROMPT: Final = "> "
LENGTH_NOTE: Final = "(cut off at the agent's limit of output tokens)"

app = typer.Typer(add_completion=False)


@app.command()
def chat(
    message: Annotated[
        str | None, typer.Argument(help="Ask this and end; otherwise standard input is read.")
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Key of the agent; the default one.")] = None,
    url: Annotated[str | None, typer.Option(help="Where the server is; this machine.")] = None,
    token: Annotated[
        str | None,
        typer.Option(help="Else GOCLAW_API_KEY or GOCLAW_GATEWAY_TOKEN from the environment."),
    ] = None,
    user: Annotated[str | None, typer.Option(help="The user to speak as.")] = None,
) -> None:
    """Chat with an agent of a running server."""
    with one_line_errors():
        settings = load_settings()
    peer = Peer(
        url=(url or reachable_url(settings, settings.port)).rstrip("/"),
        token=token or _secret(settings),
        agent=agent,
        user_id=user,
        tls=local_context(settings) if url is None and settings.tls_certificate else None,
    )
    if message is None and sys.stdin.isatty():
        talk(peer)
    else:
        ask_once(peer, sys.stdin.read() if message is None else message)


def _secret(settings: Settings) -> str | None:
    secret: SecretStr | None = settings.api_key or settings.gateway_token
    return None if secret is None else secret.get_secret_value()


def ask_once(peer: Peer, text: str) -> None:
    """The answer alone is on standard output."""
    if not text.strip():
        fail("there is nothing to ask")
    try:
        answer = asyncio.run(ask(peer, [said("user", text)], show))
    except ChatFailed as error:
        fail(str(error))
    typer.echo()
    note_length(answer)


def talk(peer: Peer) -> None:
    """Asks until the person has had enough; what failed is not part of the conversation."""
    readline.set_auto_history(True)
    Console().print(f"{peer.agent or 'The default agent'} at {peer.url}\n{HINT}\n", style="dim")
    messages: list[dict[str, str]] = []
    while (text := read_line()) is not None:
        if text == "/new":
            messages.clear()
        elif text:
            messages += exchange(peer, [*messages, said("user", text)])


def read_line() -> str | None:
    """None when the chat is over."""
    try:
        text = input(PROMPT).strip()
    except (EOFError, KeyboardInterrupt):
        typer.echo()
        return None
    return None if text in {"/quit", "/exit"} else text


def exchange(peer: Peer, messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The question and its answer, to be remembered."""
    try:
        answer = asyncio.run(ask(peer, messages, show))
    except ChatFailed as error:
        typer.secho(f"\ngoclaw: {error}\n", err=True, fg="red")
        return []
    except KeyboardInterrupt:
        typer.secho("\n(interrupted)\n", err=True, dim=True)
        return []
    typer.echo("\n")
    note_length(answer)
    return [messages[-1], said("assistant", answer.text)]


def show(piece: str) -> None:
    """Without what a terminal would obey."""
    typer.echo(
        "".join(char for char in piece if char in "\n\t" or category(char) != "Cc"), nl=False
    )
    sys.stdout.flush()


def note_length(answer: Answer) -> None:
    if answer.finish_reason == "length":
        typer.secho(LENGTH_NOTE, err=True, dim=True)


def said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def fail(reason: str) -> NoReturn:
    typer.echo(f"goclaw: {reason}", err=True)
    raise typer.Exit(1)
