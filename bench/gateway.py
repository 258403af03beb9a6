"""The gateway as users start it, with a provider, agents and keys made through its own API."""

import http.client
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import orjson
import psutil

from bench.load import Answer, ask_once, request
from bench.machine import pin_under_test
from bench.servers import READY_S, DidNotStart, Server, free_port, process

TOKEN: Final = "bench-gateway-token"
USER: Final = "bench"
AGENTS: Final = 50
KEYS: Final = 50


class Refused(Exception):
    """The text is what the gateway answered."""


@dataclass(frozen=True, slots=True)
class Gateway(Server):
    """`user_key` may write and is bound to a user who owns all agents; `admin_key` may all."""

    user_key: str
    admin_key: str


def environment(folder: Path, port: int, dsn: str | None) -> dict[str, str]:
    """Without `dsn` the database is the embedded one."""
    settings = {
        "GOCLAW_PORT": str(port),
        "GOCLAW_GATEWAY_TOKEN": TOKEN,
        "GOCLAW_ENCRYPTION_KEY": "6" * 64,
        "GOCLAW_DATA_DIR": str(folder),
        "GOCLAW_LOCAL_MODEL": "false",
        # Calls are counted as always; nobody makes so many.
        "GOCLAW_RATE_PER_ADDRESS": "1000000000",
        "GOCLAW_RATE_PER_CREDENTIAL": "1000000000",
        "GOCLAW_RATE_PER_USER": "1000000000",
    }
    return settings if dsn is None else {**settings, "GOCLAW_POSTGRES_DSN": dsn}


@contextmanager
def started(folder: Path, dsn: str | None, *, upstream_port: int | None = None) -> Iterator[Server]:
    """`goclaw serve` with one worker, healthy and pinned."""
    port, log = free_port(), folder / "gateway.log"
    folder.mkdir(exist_ok=True)
    settings = environment(folder, port, dsn)
    if upstream_port is not None:
        settings["GOCLAW_ALLOWED_OUTBOUND_HOSTS"] = f"127.0.0.1:{upstream_port}"
    command = ("-m", "goclaw", "serve")
    with process(command, log, cwd=folder, environment=settings) as parent:
        wait_until_ready(port, parent, log)
        worker = worker_of(parent.pid)
        pin_under_test(worker)
        yield Server(port, worker)


def wait_until_ready(port: int, parent: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until `/readyz` says so. Raises DidNotStart."""
    deadline = monotonic() + READY_S
    while monotonic() < deadline and parent.poll() is None:
        if is_ready(port):
            return
        sleep(0.01)
    raise DidNotStart(log.read_text(errors="replace")[-4000:])


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_of(parent: int) -> int:
    children = psutil.Process(parent).children()
    (worker,) = [child for child in children if "goclaw.cli.worker" in child.cmdline()]
    return int(worker.pid)


async def seeded(server: Server, upstream_port: int) -> Gateway:
    """Raises Refused."""
    asked = Asking(server.port, {"authorization": f"Bearer {TOKEN}", "x-goclaw-user-id": USER})
    await asked.post(
        "/v1/providers",
        {
            "name": "vendor",
            "provider_type": "openai_compat",
            "api_base": f"http://127.0.0.1:{upstream_port}/v1",
            "api_key": "sk-bench",
        },
    )
    for number in range(AGENTS):
        await asked.post("/v1/agents", agent(number))
    bound = {"name": "user", "scopes": ["operator.write"], "user_id": USER}
    user_key = await asked.post("/v1/api-keys", bound)
    admin_key = await asked.post("/v1/api-keys", {"name": "admin", "scopes": ["operator.admin"]})
    for number in range(KEYS - 2):
        await asked.post("/v1/api-keys", {**bound, "name": f"key {number}", "expires_in": 86_400})
    return Gateway(server.port, server.pid, user_key["key"], admin_key["key"])


def agent(number: int) -> dict[str, Any]:
    return {
        "agent_key": f"agent-{number}",
        "provider": "vendor",
        "model": "bench-1",
        "display_name": f"Agent number {number}",
        "description": "Answers questions about the warehouse and its opening hours.",
        "system_prompt": "You answer in one short sentence.",
    }


class Asking:
    """Calls that have to succeed."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port = port
        self._headers = headers

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = request("POST", path, self._headers, orjson.dumps(body))
        return read(await ask_once(self._port, data))


def read(answer: Answer) -> dict[str, Any]:
    if not 200 <= answer.status < 300:
        raise Refused(bytes(answer.raw).decode(errors="replace"))
    body: dict[str, Any] = orjson.loads(answer.body)
    return body
