"""Two replicas on one database; one of them is killed while it carries wakes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from goclaw.runtime.history import UNKNOWN
from tests.cli.gated_site import Site, running_site
from tests.cli.processes import LIMIT_S
from tests.cli.replicas import Replica, replica
from tests.conftest import TOKEN
from tests.doors.calling import SEND, Caller, Following
from tests.upstream import Received, Script, ScriptedUpstream, call

EVENTS = """
    subscription ($after: String) {
        events(after: $after) { cursor kind topic payload }
    }
"""
NEW_PROVIDER = """
    mutation ($input: CreateProviderInput!) { createProvider(input: $input) { id } }
"""
NEW_AGENT = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { id } }"
RUN = """
    query ($id: UUID!) {
        run(id: $id) {
            status
            session { messages { nodes { role content toolCallId } } }
            trace { status spans { spanType status } }
        }
    }
"""
CURSOR = "{ server { eventsCursor } }"
TOLD = """
    select topic, kind from events where topic = any($1) order by xid, id
"""
STATES = """
    select runs.id::text, status, worker, exists (
        select from spans where spans.trace_id = runs.trace_id
    ) as traced from runs where runs.id = any($1::uuid[])
"""
TAKEN_UP_S = 30
AT_ONCE = 8
"""Tools of one run that work at once, as the settings have it."""
WORD = "word "
DONE = "All done."
TRIES = 20


@dataclass(frozen=True)
class Point:
    """How far a wake has come when its replica is killed. `first` and `second` are what its
    model does until then; `fetches` are the pages that were asked for, each once. `unknown` are
    calls of which nobody knows afterwards what came of them.
    """

    name: str
    first: Script
    second: Script | None = None
    fetches: tuple[str, ...] = ()
    unknown: int = 0
    results: int = 0
    resumed: bool = True
    agent: str = "scribe"


SILENT = Script(silent=True)
TALKING = Script(text=WORD * 40, deltas=40, every=0.5)


def fetching(*pages: str) -> Script:
    """Of the site; `{key}` is the wake's."""
    calls = (call("web_fetch", f"call_{n}", url=page) for n, page in enumerate(pages))
    return Script(calls=tuple(calls), said_before="Let me look.")


MANY = tuple(f"slow/{{key}}-{number}" for number in range(AT_ONCE + 1))
QUICK, SLOW = "quick/{key}", "slow/{key}"
POINTS = (
    Point("queued", SILENT, resumed=False),
    Point("begun", SILENT),
    Point("mid text", TALKING),
    Point("call written", fetching(*MANY), fetches=MANY[:AT_ONCE], unknown=AT_ONCE + 1),
    Point("tool at work", fetching(SLOW), fetches=(SLOW,), unknown=1),
    Point("result", fetching(QUICK, SLOW), fetches=(QUICK, SLOW), unknown=1, results=1),
    Point("between rounds", fetching(QUICK), SILENT, fetches=(QUICK,), results=1),
    Point("closing answer", fetching(QUICK), TALKING, (QUICK,), results=1, agent="brief"),
    Point("injected", fetching(SLOW), fetches=(SLOW,), unknown=1),
    Point("trace", fetching(SLOW), Script(text=DONE), (SLOW,), results=1, resumed=False),
)


@dataclass
class Model:
    """Does what the point says as long as nobody was killed, and then answers."""

    site: Site
    killed: bool = False
    asked: dict[str, list[Any]] = field(default_factory=dict)

    def choose(self, received: Received) -> Script:
        messages = received.body["messages"]
        [key, *_] = [m["content"] for m in messages if m["role"] == "user"]
        self.asked.setdefault(key, []).append(messages)
        if self.killed:
            return Script(text=DONE)
        [point] = [point for point in POINTS if key.startswith(point.name)]
        script = point.first if len(self.asked[key]) == 1 else point.second
        assert script is not None, key
        return Script(**{**vars(script), "calls": tuple(map(self._at(key), script.calls))})

    def _at(self, key: str) -> Callable[[Any], Any]:
        page = key.replace(" ", "-")

        def at(wanted: Any) -> Any:
            url = self.site.url(wanted.arguments.split('"')[3].replace("{key}", page))
            return call(wanted.name, wanted.id, url=url)

        return at


@dataclass
class Wake:
    """One that has come to its point, on the replica that is to die."""

    point: Point
    key: str
    run_id: str

    def pages(self) -> list[str]:
        return [page.replace("{key}", self.key.replace(" ", "-")) for page in self.point.fetches]


@dataclass
class Scene:
    ada: Caller
    doomed: Replica
    site: Site
    model: Model
    sql: "asyncpg.Connection[asyncpg.Record]"
    agents: dict[str, str]

    async def told_apart(self, replicas: list[Replica]) -> list[Replica]:
        """Who is quicker to take a wake comes first: it is to take them all."""
        run_id = await self.wake(POINTS[1], f"{POINTS[1].name} probe")
        await self.until(lambda: self.has_status(run_id, "running"))
        worker = (await self.state(run_id))["worker"]
        return sorted(replicas, key=lambda one: not one.carries(worker))

    async def brought_to(self, point: Point) -> Wake:
        """Again and again, until the doomed replica is the one that takes it."""
        for number in range(TRIES):
            key = f"{point.name} {number}"
            run_id = await self.wake(point, key)
            if point.name == "queued":
                await self.until(lambda: self.has_status(run_id, "running"))  # noqa: B023
                worker = (await self.state(run_id))["worker"]
                run_id = await self.wake(point, key)
            else:
                await self.until(lambda: self.is_there(point, key, run_id))  # noqa: B023
                worker = (await self.state(run_id))["worker"]
            if self.doomed.carries(worker):
                return Wake(point, key, run_id)
        raise AssertionError(f"the other replica took all wakes: {point.name}")

    async def wake(self, point: Point, key: str) -> str:
        woken = await self.ada.rest(
            "POST",
            f"/v1/agents/{self.agents[point.agent]}/wake",
            {"message": key, "session_key": key},
            headers={"Prefer": "respond-async"},
        )
        assert woken.status == 202, woken.text
        return str(woken.body.get("run_id") or woken.body["id"])

    async def is_there(self, point: Point, key: str, run_id: str) -> bool:
        asked = len(self.model.asked.get(key, ()))
        if point.second is not None and point.name != "trace":
            return asked == 2
        if not asked or not all(self.site.asked[page] for page in Wake(point, key, "").pages()):
            return False
        if point.results:
            found = await self.sql.fetchval(
                "select count(*) from messages where run_id = $1::uuid and role = 'tool'", run_id
            )
            return found == point.results or point.name == "trace"
        return True

    async def state(self, run_id: str) -> Any:
        [row] = await self.sql.fetch(STATES, [run_id])
        return row

    async def has_status(self, run_id: str, *statuses: str) -> bool:
        return (await self.state(run_id))["status"] in statuses

    async def until(self, holds: Callable[[], Awaitable[bool]], limit_s: float = LIMIT_S) -> None:
        async with asyncio.timeout(limit_s):
            while not await holds():  # noqa: ASYNC110 - in other processes
                await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_wakes_survive_the_death_of_their_replica_wherever_they_are(
    dsn: str, tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        site = await stack.enter_async_context(running_site())
        replicas = await asyncio.gather(
            *(
                stack.enter_async_context(replica(dsn, tmp_path / name, upstream.host, site.host))
                for name in ("one", "two")
            )
        )
        sql = await asyncpg.connect(dsn)
        stack.push_async_callback(sql.close)
        model = Model(site)
        upstream.choose = model.choose
        ada = Caller(http, replicas[0].url, TOKEN, "ada")
        scene = Scene(ada, replicas[0], site, model, sql, await new_agents(ada, upstream))
        doomed, spare = await scene.told_apart(replicas)
        ada, there = (Caller(http, one.url, TOKEN, "ada") for one in (doomed, spare))
        scene.ada, scene.doomed = ada, doomed
        cursor = str((await ada.graphql(CURSOR)).data["server"]["eventsCursor"])
        told: list[Any] = []
        following = asyncio.create_task(listen(ada, cursor, told))
        wakes = [await scene.brought_to(point) for point in POINTS]
        await inject(scene, wakes)
        await killed_while_a_trace_is_written(scene, wakes, dsn)
        model.killed = True
        await asyncio.gather(following, return_exceptions=True)
        await scene.until(lambda: over(scene, wakes), TAKEN_UP_S)
        topics = [f"run:{wake.run_id}" for wake in wakes]
        async with there.follow(EVENTS, after=told[-1]["cursor"] if told else cursor) as events:
            await heard_out(events, told, set(topics))
        written = [tuple(row) for row in await sql.fetch(TOLD, topics)]
        assert [e for e in map(pair, told) if e[0] in topics] == written
        for wake in wakes:
            await assert_survived(scene, there, wake, [k for t, k in written if wake.run_id in t])
        assert "Traceback" not in spare.output.read_text()


def pair(event: Any) -> tuple[str, str]:
    return event["topic"], event["kind"]


async def listen(ada: Caller, cursor: str, told: list[Any]) -> None:
    async with ada.follow(EVENTS, after=cursor) as events:
        while True:
            told.append((await events.next(LIMIT_S))["events"])


async def heard_out(events: Following, told: list[Any], topics: set[str]) -> None:
    """Until the end of every one of the runs was told."""
    async with asyncio.timeout(LIMIT_S):
        while topics - {e["topic"] for e in told if e["kind"] == "run.ended"}:
            told.append((await events.next())["events"])


async def inject(scene: Scene, wakes: list[Wake]) -> None:
    [wake] = [wake for wake in wakes if wake.point.name == "injected"]
    session = await scene.sql.fetchval(
        "select session_id::text from runs where id = $1::uuid", wake.run_id
    )
    sent = await scene.ada.graphql(SEND, input={"sessionId": session, "text": "And this."})
    assert sent.error is None, sent.text


async def killed_while_a_trace_is_written(scene: Scene, wakes: list[Wake], dsn: str) -> None:
    """The run ends while nobody can write spans; the kill comes before that is over."""
    [wake] = [wake for wake in wakes if wake.point.name == "trace"]

    async def is_traced() -> bool:
        return bool((await scene.state(wake.run_id))["traced"])

    await scene.until(is_traced)
    holding = await asyncpg.connect(dsn)
    transaction = holding.transaction()
    await transaction.start()
    await holding.execute("lock table spans in share row exclusive mode")
    scene.site.let_go(wake.pages())
    await scene.until(lambda: scene.has_status(wake.run_id, "completed"))
    scene.doomed.kill()
    await transaction.rollback()
    await holding.close()


async def over(scene: Scene, wakes: list[Wake]) -> bool:
    rows = await scene.sql.fetch(STATES, [wake.run_id for wake in wakes])
    return all(row["status"] in ("completed", "error") for row in rows)


async def assert_survived(scene: Scene, there: Caller, wake: Wake, kinds: list[str]) -> None:
    point = wake.point
    run = (await there.graphql(RUN, id=wake.run_id)).data["run"]
    assert run["status"] == "COMPLETED", (point.name, run)
    said = run["session"]["messages"]["nodes"]
    assert said[-1]["content"] == DONE, (point.name, said)
    results = [m["toolCallId"] for m in said if m["toolCallId"]]
    assert len(results) == point.results, (point.name, said)
    assert [scene.site.asked[page] for page in wake.pages()] == [1] * len(point.fetches)
    assert not scene.site.asked[f"slow/{wake.key.replace(' ', '-')}-{AT_ONCE}"]
    asked = scene.model.asked[wake.key][-1]
    unknown = [m for m in asked if UNKNOWN in str(m["content"])]
    assert len(unknown) == point.unknown, (point.name, asked)
    assert ("And this." in str(asked)) == (point.name == "injected")
    assert ("run.resumed" in kinds) == point.resumed, (point.name, kinds)
    assert (kinds[:2], kinds[-1]) == (["run.queued", "run.started"], "run.ended")
    assert len([kind for kind in kinds if kind == "run.ended"]) == 1

    async def traced() -> bool:
        told = (await there.graphql(RUN, id=wake.run_id)).data["run"]["trace"]
        return told is not None and not any(
            row["status"] == "RUNNING" for row in (told, *told["spans"])
        )

    await scene.until(traced, TAKEN_UP_S)


async def new_agents(ada: Caller, upstream: ScriptedUpstream) -> dict[str, str]:
    provider = await ada.graphql(
        NEW_PROVIDER,
        input={
            "name": "scripted",
            "providerType": "OPENAI_COMPAT",
            "apiBase": upstream.base_url(),
            "apiKey": "sk-upstream-secret",
        },
    )
    agents = {}
    for key, more in (("scribe", {}), ("brief", {"maxToolIterations": 1})):
        agent = await ada.graphql(
            NEW_AGENT,
            input={
                "key": key,
                "providerId": provider.data["createProvider"]["id"],
                "model": "scripted-1",
                **more,
            },
        )
        agents[key] = str(agent.data["createAgent"]["id"])
    return agents
