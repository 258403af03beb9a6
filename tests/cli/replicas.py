"""A replica: the whole server as a process of its own, on a database that others share."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.processes import LIMIT_S, ROOT, variables
from tests.cli.test_serve import free_port
from tests.conftest import TOKEN
from tests.support.processes import family, send_all


@dataclass
class Replica:
    process: "subprocess.Popen[bytes]"
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def carries(self, worker: str) -> bool:
        pid = int(worker.rpartition(":")[2])
        return any(process.pid == pid for process in family(self.process.pid))

    def kill(self) -> None:
        """All of it at once, as when the machine loses its power."""
        send_all(family(self.process.pid), signal.SIGKILL)
        self.process.wait(LIMIT_S)


@asynccontextmanager
async def replica(dsn: str, folder: Path, *allowed: str) -> AsyncIterator[Replica]:
    port = free_port()
    folder.mkdir()
    output = folder / "output"
    given = variables(
        GOCLAW_DATA_DIR=str(folder),
        GOCLAW_POSTGRES_DSN=dsn,
        GOCLAW_GATEWAY_TOKEN=TOKEN,
        GOCLAW_ENCRYPTION_KEY="k" * 32,
        GOCLAW_ALLOWED_OUTBOUND_HOSTS=",".join(allowed),
        GOCLAW_DB_CONNECTIONS="10",
        GOCLAW_SHUTDOWN_GRACE_S="1",
        GOCLAW_TOOLS_PROFILE="full",
    )
    with output.open("wb") as file:
        process = subprocess.Popen(
            (sys.executable, "-m", "goclaw", "serve", "--port", str(port)),
            cwd=ROOT,
            env=given,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        async with asyncio.timeout(LIMIT_S):
            while "Ctrl-C stops it" not in output.read_text():
                assert process.poll() is None, output.read_text()
                await asyncio.sleep(0.05)
        yield Replica(process, port, output)
    finally:
        if process.poll() is None:
            process.terminate()
            await asyncio.to_thread(process.wait, LIMIT_S)
