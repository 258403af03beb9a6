"""The real command line as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.test_serve import free_port

ROOT = Path(__file__).parents[2]
LIMIT_S = 90


def variables(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GOCLAW_") and not name.endswith("_API_KEY")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "GOCLAW_LOCAL_MODEL": "false", **more}


def command(data_dir: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """`goclaw` with these arguments, run to its end."""
    return subprocess.run(
        (sys.executable, "-m", "goclaw", *arguments),
        cwd=data_dir.parent,
        env=variables(GOCLAW_DATA_DIR=str(data_dir), **more),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@contextmanager
def running(data_dir: Path, **more: str) -> Iterator[int]:
    """`goclaw serve` on the folder; gives its port."""
    port = free_port()
    output = data_dir.with_name(f"output-{port}")
    with output.open("wb") as file:
        process = subprocess.Popen(
            (sys.executable, "-m", "goclaw", "serve", "--port", str(port)),
            cwd=data_dir.parent,
            env=variables(GOCLAW_DATA_DIR=str(data_dir), **more),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + LIMIT_S
        while "Ctrl-C stops it" not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
