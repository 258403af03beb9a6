"""Two replicas on one database; one of them is killed while it carries a wake."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import pytest

from tests.cli.processes import LIMIT_S, ROOT, variables
from tests.cli.test_serve import free_port
from tests.conftest import TOKEN
from tests.doors.calling import FOLLOW_RUN, Caller
from tests.upstream import ScriptedUpstream

EVENTS = """
    subscription ($after: String, $topics: [String!]) {
        events(after: $after, topics: $topics) { cursor kind payload }
    }
"""
NEW_PROVIDER = """
    mutation ($input: CreateProviderInput!) { createProvider(input: $input) { id } }
"""
NEW_AGENT = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { id } }"
RUN = """
    query ($id: UUID!) { run(id: $id) { session { messages { nodes { role content } } } } }
"""
CURSOR = "{ server { eventsCursor } }"
TAKEN_UP_S = 30
DELTAS = 40
WORD = "word "


@dataclass
class Replica:
    process: "subprocess.Popen[bytes]"
    port: int
    output: Path
    family: list[psutil.Process] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """All of it at once, as when the machine loses its power."""
        self.family = [*psutil.Process(self.process.pid).children(recursive=True)]
        for process in (psutil.Process(self.process.pid), *self.family):
            process.send_signal(signal.SIGKILL)
        self.process.wait(LIMIT_S)


@asynccontextmanager
async def replica(dsn: str, folder: Path, upstream: ScriptedUpstream) -> AsyncIterator[Replica]:
    port = free_port()
    folder.mkdir()
    output = folder / "output"
    given = variables(
        GOCLAW_DATA_DIR=str(folder),
        GOCLAW_POSTGRES_DSN=dsn,
        GOCLAW_GATEWAY_TOKEN=TOKEN,
        GOCLAW_ENCRYPTION_KEY="k" * 32,
        GOCLAW_ALLOWED_OUTBOUND_HOSTS=upstream.host,
        GOCLAW_DB_CONNECTIONS="10",
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


@pytest.mark.slow
@pytest.mark.parametrize("said", [0, 1, DELTAS // 2, DELTAS - 2])
async def test_a_wake_survives_the_death_of_its_replica(
    dsn: str, tmp_path: Path, upstream: ScriptedUpstream, said: int
) -> None:
    """Killed when the model was asked, and when it had said so much."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        replicas = [
            await stack.enter_async_context(replica(dsn, tmp_path / name, upstream))
            for name in ("one", "two")
        ]
        ada = Caller(http, replicas[0].url, TOKEN, "ada")
        agent = await new_agent(ada, upstream)
        upstream.reply(WORD * DELTAS, deltas=DELTAS, every=0.1, first_after=0 if said else 60)
        upstream.reply(WORD * 5)
        before = (await ada.graphql(CURSOR)).data["server"]["eventsCursor"]
        run_id = await wake(ada, agent)
        await until_said(ada, run_id, said)
        doomed, spare = await told_apart(dsn, run_id, replicas)
        doomed.kill()
        there = Caller(http, spare.url, TOKEN, "ada")
        async with asyncio.timeout(TAKEN_UP_S):
            async with there.follow(FOLLOW_RUN, id=run_id) as events:
                followed = await events.run()
        assert followed.run["status"] == "COMPLETED", spare.output.read_text()
        assert followed.message == {"content": WORD * 5}
        run = (await there.graphql(RUN, id=run_id)).data["run"]
        messages = run["session"]["messages"]["nodes"]
        assert sorted(message["role"] for message in messages) == ["ASSISTANT", "USER"]
        assert await kinds_of(there, run_id, before) == [
            "run.queued",
            "run.started",
            "run.resumed",
            "run.ended",
        ]
        assert len(upstream.requests) == 2


async def told_apart(dsn: str, run_id: str, replicas: list[Replica]) -> tuple[Replica, Replica]:
    """Who carries the run, and the other one."""
    connection = await asyncpg.connect(dsn)
    try:
        worker = await connection.fetchval("select worker from runs where id = $1::uuid", run_id)
    finally:
        await connection.close()
    first, second = replicas
    pid = int(worker.rpartition(":")[2])
    carries = {child.pid for child in psutil.Process(first.process.pid).children(recursive=True)}
    return (first, second) if pid in carries else (second, first)


async def new_agent(ada: Caller, upstream: ScriptedUpstream) -> str:
    provider = await ada.graphql(
        NEW_PROVIDER,
        input={
            "name": "scripted",
            "providerType": "OPENAI_COMPAT",
            "apiBase": upstream.base_url(),
            "apiKey": "sk-upstream-secret",
        },
    )
    agent = await ada.graphql(
        NEW_AGENT,
        input={
            "key": "scribe",
            "providerId": provider.data["createProvider"]["id"],
            "model": "scripted-1",
        },
    )
    id: str = agent.data["createAgent"]["id"]
    return id


async def wake(ada: Caller, agent: str) -> str:
    woken = await ada.rest(
        "POST",
        f"/v1/agents/{agent}/wake",
        {"message": "Wake up."},
        headers={"Prefer": "respond-async"},
    )
    assert woken.status == 202, woken.text
    id: str = woken.body.get("run_id") or woken.body["id"]
    return id


async def until_said(ada: Caller, run_id: str, deltas: int) -> None:
    """Returns when the model was asked, or has said so many words."""
    async with asyncio.timeout(LIMIT_S), ada.follow(FOLLOW_RUN, id=run_id) as events:
        text = ""
        while True:
            event = (await events.next())["runEvents"]
            if event["__typename"] == "RunText":
                text = text[: event["offset"]] + event["text"]
            if event["__typename"] == "RunStarted" and not deltas:
                break
            if deltas and text.count(WORD) >= deltas:
                break
    if not deltas:
        await asyncio.sleep(1)


async def kinds_of(ada: Caller, run_id: str, after: str) -> list[str]:
    """All events of the run, as a subscriber finds them who resumes from before it."""
    kinds: list[str] = []
    async with asyncio.timeout(10):
        async with ada.follow(EVENTS, after=after, topics=[f"run:{run_id}"]) as events:
            while not kinds or kinds[-1] != "run.ended":
                event: Any = (await events.next())["events"]
                kinds.append(event["kind"])
    return kinds
