"""The README's snippets, word for word, against the embedded model."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PRINTED = "127.0.0.1:18790"
START_S = 120
SNIPPET_S = 120


def snippet(language: str, containing: str) -> str:
    """The one code block in that language that contains the text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if containing in block]
    return str(block)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`goclaw serve` as `make run` starts it, on another port and folder."""
    port = free_port()
    folder = tmp_path_factory.mktemp("readme")
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and "GOCLAW" not in k}
    server = subprocess.Popen(
        [sys.executable, "-m", "goclaw", "serve"],
        env=kept | {"GOCLAW_PORT": str(port), "GOCLAW_DATA_DIR": str(folder / "data")},
        cwd=folder,
    )
    try:
        asyncio.run(until_ready(f"http://127.0.0.1:{port}/readyz", server))
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


async def until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_S):
        while server.poll() is None:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError("the server ended while starting")


def run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=SNIPPET_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def at(text: str, address: str) -> str:
    assert PRINTED in text
    return text.replace(PRINTED, address)


def test_curl(address: str, tmp_path: Path) -> None:
    out = run(["bash", "-c", at(snippet("sh", "curl"), address)], tmp_path)
    assert '"object":"chat.completion"' in out
    assert '"role":"assistant"' in out


def test_the_openai_client(address: str, tmp_path: Path) -> None:
    script = tmp_path / "chat.py"
    script.write_text(at(snippet("python", "OpenAI"), address))
    whole, *streamed = run([sys.executable, str(script)], tmp_path).strip().splitlines()
    assert whole
    assert streamed


def test_graphql_over_a_websocket(address: str) -> None:
    folder = ROOT / "web" / ".readme"
    folder.mkdir(exist_ok=True)
    try:
        (folder / "chat.mjs").write_text(at(snippet("js", "graphql-ws"), address))
        out = run(["node", "chat.mjs"], folder)
    finally:
        shutil.rmtree(folder)
    assert "status: 'COMPLETED'" in out
    assert re.search(r"traceId: '[0-9a-f-]{36}'", out)
    assert len(out.split("{")[0].strip()) > 0
