"""The database stands still in the midst of fifty streams: frozen, or stopped and started."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from goclaw.embedded.postgres import EmbeddedPostgres
from goclaw.embedded.process import end
from goclaw.models.agents import AgentCreate
from goclaw.resolvers.agents import create_agent
from goclaw.store.migrate import migrate
from tests.doors.calling import FOLLOW_RUN, SEND, Answer, Caller, ChatStream
from tests.doors.conftest import host_for
from tests.doors.world import World, opened_world
from tests.runtime.acting import Bench, every_agent_has
from tests.support.callers import context
from tests.support.processes import family, send_all
from tests.support.server import running_server
from tests.upstream import Received, Script, ScriptedUpstream, call

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

AWAY_S = 20
LONG = Script(text="word " * 60, deltas=60, every=0.5)
"""Begins before and ends behind it."""

SHORT = Script(text="word " * 20, deltas=20, every=0.5)
"""Ends while it is away."""

ACTING = Script(calls=(call("wait"),), said_before="Let me look. ", deltas=1)
KINDS = {"long": 15, "short": 15, "acting": 5, "sent": 10, "woken": 5}
RUNS = """
    select runs.id::text, runs.status, runs.error_code, lease_run_id is not null as leased,
        (select string_agg(content, '|' order by seq) from messages
            where run_id = runs.id and role = 'assistant') as said,
        (select count(*) from messages where run_id = runs.id and role = 'tool') as results,
        (select count(*) from events
            where topic = 'run:' || runs.id and kind = 'run.ended') as ends,
        (select string_agg(distinct status, ',') from traces where run_id = runs.id) as traced
    from runs left join sessions on sessions.id = runs.session_id
    where runs.id = any($1::uuid[])
"""


@dataclass
class Cluster:
    postgres: EmbeddedPostgres

    def send(self, number: signal.Signals) -> None:
        assert self.postgres.pid is not None
        send_all(family(self.postgres.pid), number)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> None:
        assert self.postgres._child is not None
        end(self.postgres._child, (signal.SIGINT, 30.0))

    def start(self) -> None:
        self.postgres.relaunch()


WAYS: dict[str, tuple[Callable[[Cluster], None], Callable[[Cluster], None]]] = {
    "frozen": (Cluster.freeze, Cluster.thaw),
    "stopped": (Cluster.stop, Cluster.start),
}


@dataclass
class Stage:
    world: World
    cluster: Cluster
    bench: Bench
    dsn: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    bench = Bench()
    with TemporaryDirectory(prefix="goclaw-test-") as folder, pytest.MonkeyPatch.context() as patch:
        postgres = EmbeddedPostgres(Path(folder), 40)
        dsn = (await asyncio.to_thread(postgres.start)).dsn
        await migrate(dsn)
        every_agent_has(bench, patch)
        async with ScriptedUpstream() as upstream:
            host = host_for(dsn, upstream, tmp_path_factory.mktemp("stopped"))
            async with running_server(host) as server, opened_world(server, upstream) as world:
                yield Stage(world, Cluster(postgres), bench, dsn)
        postgres.stop(hurry=True)


def script_for(received: Received) -> Script:
    """The question names what is to happen."""
    messages = received.body["messages"]
    if messages[-1]["role"] == "tool":
        return Script(text="Sunny.")
    asked = messages[-1]["content"]
    return {"short": SHORT, "acting": ACTING, "Still there?": Script(text="Yes.")}.get(asked, LONG)


@dataclass
class Asked:
    kind: str
    run_id: str
    heard: "asyncio.Task[None]"
    said: str
    pieces: list[str]


async def begin(stage: Stage, stack: AsyncExitStack, key: str, kind: str) -> Asked:
    """Comes back when its first words are there."""
    ada = stage.world.root("ada")
    if kind in ("sent", "woken"):
        return await begin_detached(stage, ada, key, kind)
    model = f"goclaw:{key}"
    stream = await stack.enter_async_context(ada.chat_stream(kind, model=model))
    first = await stream.text()
    said = {"long": LONG.text, "short": SHORT.text, "acting": "Let me look. \n\nSunny."}[kind]
    run_id = stream.response.headers["X-GoClaw-Run-Id"]
    pieces = [first]
    return Asked(kind, run_id, asyncio.create_task(rest(stream, pieces)), said, pieces)


async def rest(stream: ChatStream, pieces: list[str]) -> None:
    while (event := await stream.next()) is not None:
        assert "error" not in event, event
        if event["choices"]:
            pieces.append(event["choices"][0]["delta"].get("content") or "")


async def begin_detached(stage: Stage, ada: Caller, key: str, kind: str) -> Asked:
    agent = await stage.world.services.targets.find(
        context(stage.world.services).reads, id=None, key=key, or_default=False
    )
    assert agent is not None
    if kind == "sent":
        sent = await ada.graphql(SEND, input={"agentId": str(agent.id), "text": kind})
        run_id = sent.data["sendMessage"]["id"]
    else:
        path, later = f"/v1/agents/{agent.id}/wake", {"Prefer": "respond-async"}
        woken = await ada.rest("POST", path, {"message": kind}, headers=later)
        run_id = woken.body.get("run_id") or woken.body["id"]
    pieces: list[str] = []
    heard = asyncio.create_task(follow(ada, run_id, pieces))
    while not pieces:
        assert not heard.done()
        await asyncio.sleep(0.01)
    return Asked(kind, run_id, heard, LONG.text, pieces)


async def follow(ada: Caller, run_id: str, pieces: list[str]) -> None:
    async with ada.follow(FOLLOW_RUN, id=run_id) as events:
        while True:
            event = (await events.next(AWAY_S + 30))["runEvents"]
            if event["__typename"] == "RunText":
                assert event["offset"] == sum(map(len, pieces))
                pieces.append(event["text"])
            if event["__typename"] == "RunEnded":
                assert event["run"]["status"] == "COMPLETED", event
                return


async def calls_meanwhile(ada: Caller, key: str, until: asyncio.Event) -> list[Answer]:
    """One after the other, each of which needs the database."""
    answers = []
    while not until.is_set():
        answers.append(await ada.chat("Still there?", model=f"goclaw:{key}"))
        await asyncio.sleep(0.5)
    return answers


@pytest.mark.parametrize("way", WAYS)
async def test_fifty_streams_and_a_database_that_stands_still(stage: Stage, way: str) -> None:
    leave, come_back = WAYS[way]
    world, key = stage.world, f"still-{way}"
    world.upstream.choose = script_for
    stage.bench.gate, stage.bench.started = asyncio.Event(), asyncio.Event()
    data = AgentCreate(key=key, provider_id=world.provider.id, model="scripted-1")
    await create_agent(context(world.services), data)
    ada, back = world.root("ada"), asyncio.Event()
    async with AsyncExitStack() as stack:
        wanted = [kind for kind, count in KINDS.items() for _ in range(count)]
        asked = await asyncio.gather(*(begin(stage, stack, key, kind) for kind in wanted))
        await asyncio.to_thread(leave, stage.cluster)
        try:
            meanwhile = asyncio.create_task(calls_meanwhile(ada, key, back))
            await asyncio.sleep(AWAY_S / 4)
            stage.bench.gate.set()
            await asyncio.sleep(3 * AWAY_S / 4)
            by_then = [(one.kind, "".join(one.pieces)) for one in asked]
        finally:
            await asyncio.to_thread(come_back, stage.cluster)
            back.set()
        for kind, text in by_then:
            assert kind != "short" or text == SHORT.text
            assert kind in ("short", "acting") or text.count("word") > 2 * AWAY_S - 10
        await asyncio.gather(*(one.heard for one in asked))
        assert ["".join(one.pieces) for one in asked] == [one.said for one in asked]
        refused = [answer for answer in await meanwhile if answer.status != 200]
        assert {(answer.status, answer.code) for answer in refused} <= {
            (503, "database_unavailable")
        }
        assert refused
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    await assert_stored(stage, asked)
    async with asyncio.timeout(15):
        while (answer := await ada.chat("Still there?", model=f"goclaw:{key}")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert answer.body["choices"][0]["message"]["content"] == "Yes."


async def assert_stored(stage: Stage, asked: list[Asked]) -> None:
    """All of it, once its end could be written."""
    connection = await asyncpg.connect(stage.dsn)
    try:
        for _ in range(150):
            rows: dict[str, Any] = {
                row["id"]: row for row in await connection.fetch(RUNS, [a.run_id for a in asked])
            }
            if all(row["traced"] == "completed" for row in rows.values()):
                break
            await asyncio.sleep(0.2)
    finally:
        await connection.close()
    for one in asked:
        row = rows[one.run_id]
        told = (one.kind, dict(row))
        assert (row["status"], row["error_code"], row["leased"]) == ("completed", None, False), told
        assert row["said"] == one.said.replace("\n\n", "|"), told
        assert (row["ends"], row["traced"]) == (1, "completed"), told
        assert row["results"] == (one.kind == "acting"), told
