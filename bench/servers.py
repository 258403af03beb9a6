"""Processes that the bench starts, and ends."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.machine import pin_under_test

ROOT: Final = Path(__file__).parent.parent
READY_S: Final = 30
STOP_S: Final = 20


class DidNotStart(Exception):
    """The text is what the process wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """`pid` is the process that answers."""

    port: int
    pid: int


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def plain_environment() -> dict[str, str]:
    """Without settings and keys of whoever runs the bench."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GOCLAW_") and not name.endswith("_API_KEY")
    }
    return {**kept, "PYTHONPATH": str(ROOT)}


@contextmanager
def process(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Asked to end when the block ends, and made to when it does not."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=cwd,
            env={**plain_environment(), **(environment or {})},
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for(port: int, child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until somebody listens. Raises DidNotStart."""
    deadline = monotonic() + READY_S
    while monotonic() < deadline and child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.02)
        else:
            return
    raise DidNotStart(log.read_text(errors="replace")[-4000:])


@contextmanager
def upstream(folder: Path) -> Iterator[Server]:
    port, log = free_port(), folder / "upstream.log"
    with process(("-m", "bench.upstream", str(port)), log) as child:
        wait_for(port, child, log)
        yield Server(port, child.pid)


@contextmanager
def peer(folder: Path, module: str, *arguments: str) -> Iterator[Server]:
    """`python -m bench.peers.<module> <port> ...`, on the core for servers under test."""
    port = free_port()
    log = folder / f"{module}-{port}.log"
    with process(("-m", f"bench.peers.{module}", str(port), *arguments), log) as child:
        wait_for(port, child, log)
        pin_under_test(child.pid)
        yield Server(port, child.pid)


async def settle() -> None:
    """What a server does after its answers is part of what they cost."""
    await asyncio.sleep(0.2)
