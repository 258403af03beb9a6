"""`goclaw chat`, against a scripted server, a real one, and on a terminal."""

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cli.conftest import Command
from tests.cli.processes import ROOT, variables
from tests.cli.sse_server import Scripted, delta, finish, scripted_chat
from tests.cli.test_serve import free_port
from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer
from tests.upstream import ScriptedUpstream


@pytest.fixture
def peer() -> Iterator[Scripted]:
    with scripted_chat() as scripted:
        scripted.answers = [(delta("Hel"), delta("lo."), finish())]
        yield scripted


def test_one_question_one_answer(goclaw: Command, peer: Scripted) -> None:
    result = goclaw("chat", "Say hello", "--url", peer.url + "/")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Hello.\n", "")
    assert peer.bodies == [{"messages": [{"role": "user", "content": "Say hello"}], "stream": True}]
    assert "Authorization" not in peer.headers


def test_a_piped_question(goclaw: Command, peer: Scripted) -> None:
    result = goclaw("chat", "--url", peer.url, input="Say\nhello\n")
    assert result.stdout == "Hello.\n"
    assert peer.bodies[0]["messages"][0]["content"] == "Say\nhello\n"


def test_agent_token_and_user(goclaw: Command, peer: Scripted) -> None:
    goclaw(
        "chat", "x", "--url", peer.url, "--agent", "scribe", "--token", "t", "--user", "ada"
    )  # fmt: skip
    assert peer.bodies[0]["model"] == "goclaw:scribe"
    assert peer.headers["Authorization"] == "Bearer t"
    assert peer.headers["X-GoClaw-User-Id"] == "ada"


def test_the_token_comes_from_the_environment(
    goclaw: Command, peer: Scripted, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_GATEWAY_TOKEN", "gateway")
    goclaw("chat", "x", "--url", peer.url)
    assert peer.headers["Authorization"] == "Bearer gateway"
    environment.setenv("GOCLAW_API_KEY", "key")
    goclaw("chat", "x", "--url", peer.url)
    assert peer.headers["Authorization"] == "Bearer key"


def test_events_cut_anywhere(goclaw: Command, peer: Scripted) -> None:
    whole = b": keep-alive\n\n" + delta("Grüße, ") + delta("Welt") + finish()
    peer.answers = [[bytes([byte]) for byte in whole]]
    assert goclaw("chat", "x", "--url", peer.url).stdout == "Grüße, Welt\n"


def test_what_a_terminal_would_obey_is_left_out(goclaw: Command, peer: Scripted) -> None:
    peer.answers = [(delta("a\x1b]0;evil\x07b\r\n\tc\x9b"), finish())]
    assert goclaw("chat", "x", "--url", peer.url).stdout == "a]0;evilb\n\tc\n"


def test_an_answer_that_hit_the_limit_says_so(goclaw: Command, peer: Scripted) -> None:
    peer.answers = [(delta("A long"), finish("length"))]
    result = goclaw("chat", "x", "--url", peer.url)
    assert result.stdout == "A long\n"
    assert "cut off" in result.stderr


@pytest.mark.parametrize(
    ("status", "content_type", "answer", "expected"),
    [
        (401, "application/json", b'{"error": {"message": "sign in"}}', "sign in: give --token"),
        (404, "application/json", b'{"error": {"message": "no agent x"}}', "no agent x"),
        (400, "application/json", b'{"error": "own format"}', "own format"),
        (502, "text/html", b"<html>", "answered HTTP 502; is it a GoClaw server?"),
        (200, "text/html", b"<html>", "is not a GoClaw server"),
        (200, "text/event-stream", delta("Hel"), "ended before the answer was complete"),
        (200, "text/event-stream", b"data: nonsense\n\n", "not a chat answer"),
        (200, "text/event-stream", b"data: []\n\n", "not a chat answer"),
        (200, "text/event-stream", b'data: {"error": {"message": "cut"}}\n\n', "cut"),
    ],
)
def test_what_goes_wrong_is_told_and_is_no_answer(
    goclaw: Command, peer: Scripted, status: int, content_type: str, answer: bytes, expected: str
) -> None:
    peer.status, peer.content_type, peer.answers = status, content_type, [[answer]]
    result = goclaw("chat", "x", "--url", peer.url)
    assert result.exit_code == 1
    assert expected in result.stderr.splitlines()[-1]
    assert result.stderr.startswith("goclaw: ")


def test_no_server(goclaw: Command) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = goclaw("chat", "x", "--url", url)
    assert result.exit_code == 1
    assert result.stderr == f"goclaw: no server answers at {url}; to start one: goclaw serve\n"


def test_the_address_of_this_machine_is_the_default(
    goclaw: Command, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("GOCLAW_PORT", str(port := free_port()))
    environment.setenv("GOCLAW_HOST", "0.0.0.0")
    environment.setenv("GOCLAW_PATH_PREFIX", "/claw")
    assert f"http://localhost:{port}/claw;" in goclaw("chat", "x").stderr


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/", "http://"])
def test_a_bad_address(goclaw: Command, url: str) -> None:
    result = goclaw("chat", "x", "--url", url)
    assert result.exit_code == 1
    assert "is not an http address" in result.stderr


def test_nothing_to_ask(goclaw: Command, peer: Scripted) -> None:
    assert goclaw("chat", " ", "--url", peer.url).exit_code == 1
    assert goclaw("chat", "--url", peer.url, input="").exit_code == 1
    assert peer.bodies == []


async def test_a_real_server(
    goclaw: Command, server: RunningServer, upstream: ScriptedUpstream
) -> None:
    await add_agent(server.services, await add_provider(server.services, upstream))
    upstream.reply("Written by the scribe.")

    def chat(*more: str) -> tuple[int, str, str]:
        result = goclaw("chat", "Write", "--url", server.url, "--user", "ada", *more)
        return result.exit_code, result.stdout, result.stderr

    ask = asyncio.to_thread
    assert await ask(chat, "--agent", "scribe", "--token", server.token) == (
        0, "Written by the scribe.\n", "",
    )  # fmt: skip
    status, _, errors = await ask(chat, "--agent", "scribe")
    assert (status, errors) == (
        1,
        "goclaw: sign in with a gateway token or an API key: give --token, or set GOCLAW_API_KEY\n",
    )
    status, _, errors = await ask(chat, "--agent", "nobody", "--token", server.token)
    assert (status, errors) == (1, "goclaw: no agent nobody\n")
    upstream.fail(500, "the vendor is down")
    status, output, errors = await ask(chat, "--agent", "scribe", "--token", server.token)
    assert (status, output) == (1, "")
    assert "the vendor is down" in errors


@dataclass
class Terminal:
    process: "subprocess.Popen[bytes]"
    fd: int
    seen: str = ""

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def expect(self, text: str, limit_s: float = 30) -> None:
        """Waits for it, and forgets what came up to its end."""
        deadline = time.monotonic() + limit_s
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select((self.fd,), (), (), 0.1)[0]:
                self.seen += os.read(self.fd, 4096).decode()
        self.seen = self.seen.partition(text)[2]


def heed_interrupts() -> None:
    """A suite started in the background hands on that interrupts are to be ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def terminal(peer: Scripted) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        (sys.executable, "-m", "goclaw", "chat", "--url", peer.url),
        cwd=ROOT,
        env=variables(TERM="dumb"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - the tests start no threads
    )
    os.close(theirs)
    yield Terminal(process, ours)
    process.kill()
    process.wait()
    os.close(ours)


def test_a_conversation_on_a_terminal(terminal: Terminal, peer: Scripted) -> None:
    terminal.expect("> ")
    terminal.type("one\n")
    terminal.expect("Hello.")
    terminal.expect("> ")
    terminal.type("two\n")
    terminal.expect("Hello.")
    terminal.expect("> ")
    terminal.type("/new\n")
    terminal.expect("> ")
    terminal.type("three\n")
    terminal.expect("Hello.")
    terminal.expect("> ")
    terminal.type("\x04")
    assert terminal.process.wait(10) == 0
    said = [[turn["content"] for turn in body["messages"]] for body in peer.bodies]
    assert said == [["one"], ["one", "Hello.", "two"], ["three"]]


def test_interrupting_an_answer_goes_on_with_the_chat(terminal: Terminal, peer: Scripted) -> None:
    peer.answers, peer.hang = [[delta("Never ending")]], True
    terminal.expect("> ")
    terminal.type("one\n")
    terminal.expect("Never ending")
    terminal.process.send_signal(signal.SIGINT)
    terminal.expect("interrupted")
    peer.answers, peer.hang = [(delta("Well."), finish())], False
    terminal.expect("> ")
    terminal.type("two\n")
    terminal.expect("Well.")
    assert [turn["content"] for turn in peer.bodies[-1]["messages"]] == ["two"]


def test_a_failure_on_a_terminal_is_told_and_forgotten(terminal: Terminal, peer: Scripted) -> None:
    peer.answers = [[b'data: {"error": {"message": "not today"}}\n\n'], [delta("Well."), finish()]]
    terminal.expect("> ")
    terminal.type("one\n")
    terminal.expect("goclaw: not today")
    terminal.expect("> ")
    terminal.type("two\n")
    terminal.expect("Well.")
    assert [turn["content"] for turn in peer.bodies[-1]["messages"]] == ["two"]
