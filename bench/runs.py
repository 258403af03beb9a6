"""Runs that act, wait, remember and are cancelled."""

import asyncio
from collections.abc import Sequence
from functools import partial
from secrets import token_hex
from statistics import fmean, median
from time import perf_counter
from typing import Any, Final

import aiohttp
import orjson

from bench.answers import DELTAS, HELD, HOLD_S, LEISURELY, PROBED, TEXT, TOOL, WORD
from bench.chat import AT_ONCE, cpu_at_once, whole
from bench.gateway import TOKEN, USER, Asking, Gateway, agent, read
from bench.load import ask_once, run_load
from bench.machine import cpu_s, rss_bytes
from bench.report import Row, at_most
from bench.rounds import Measure, Measured, Samples, alternate
from bench.scene import CHAT, PEER_KEY, Scene, chat_request, question
from bench.servers import settle

ACTING: Final = "acting"
TOOLS: Final = {"allow": [TOOL]}
CALLS: Final = 500
WAITING: Final = 300
KIB: Final = 1024

LENGTHS: Final = (10, 100, 1_000)
REMEMBERING: Final = "remembering"
MEMORY: Final = {"other_config": {"history_limit": 2 * max(LENGTHS)}}
SESSIONS: Final = 40
"""Of each length; each is carried on once a round."""

CANCELS: Final = 30
CANCEL: Final = "mutation ($input: CancelRunInput!) { cancelRun(input: $input) { id } }"


async def measure_runs(scene: Scene) -> Sequence[Row]:
    gateway = await scene.gateway()
    asking = Asking(gateway.port, {"authorization": f"Bearer {TOKEN}", "x-goclaw-user-id": USER})
    await asking.post("/v1/agents", {**agent(0), "agent_key": ACTING, "tools_config": TOOLS})
    await asking.post("/v1/agents", {**agent(0), "agent_key": REMEMBERING, **MEMORY})
    return [
        await tool_row(scene, gateway),
        await waiting_row(scene, gateway),
        await history_row(scene, gateway),
        await cancel_row(scene, gateway),
    ]


# ---------------------------------------------------------------- a call of a tool


async def tool_row(scene: Scene, gateway: Gateway) -> Row:
    calls = scene.effort.some(CALLS)
    acting = chat_request(gateway.user_key, agent=ACTING)
    variants: dict[str, Measure] = {
        "bare": partial(cpu_at_once, scene.bare("bare"), chat_request(PEER_KEY), calls),
        "gateway": partial(cpu_at_once, gateway, acting, calls),
    }
    samples = await alternate(variants, scene.effort.rounds)
    ours, bare = (samples.median(name, "cpu") / 1e3 for name in ("gateway", "bare"))
    return at_most(
        "run with one tool call, CPU over its two bare model calls",
        ours - 2 * bare,
        8,
        unit=" ms",
        details=f"{ours:.2f} - 2 x {bare:.2f} ms, {AT_ONCE} at once",
    )


# ---------------------------------------------------------------- many that wait


async def waiting_row(scene: Scene, gateway: Gateway) -> Row:
    """Against the worker after as many runs that came one after the other."""
    runs = scene.effort.some(WAITING)
    await load_of(gateway, runs, at_once=1)
    await settle()
    before = rss_bytes(gateway.pid)
    waiting = asyncio.create_task(load_of(gateway, runs, at_once=runs, manner=HELD))
    await asyncio.sleep(HOLD_S * 0.8)
    grown = (rss_bytes(gateway.pid) - before) / KIB
    assert not waiting.done()
    await waiting
    return at_most(
        "memory of a waiting run",
        grown / runs,
        200,
        unit=" KiB",
        details=f"{runs} at once, each with a tool's result behind it, {grown / KIB:.0f} MiB",
    )


async def load_of(gateway: Gateway, runs: int, *, at_once: int, manner: bytes = b"") -> None:
    data = chat_request(gateway.user_key, agent=ACTING, manner=manner)
    await run_load(gateway.port, data, calls=runs, at_once=at_once, check=whole)


# ---------------------------------------------------------------- a long history


async def history_row(scene: Scene, gateway: Gateway) -> Row:
    sessions = scene.effort.some(SESSIONS)
    variants: dict[str, Measure] = {}
    for length in LENGTHS:
        variants[str(length)] = partial(carried_on, gateway, length, sessions)
    samples = await alternate(variants, scene.effort.rounds)
    cost, sent = grown(samples, "cpu"), grown(samples, "sent")
    cpu = " / ".join(f"{samples.median(str(n), 'cpu') / 1e3:.1f}" for n in LENGTHS)
    size = " / ".join(f"{samples.median(str(n), 'sent') / 1e3:.0f}" for n in LENGTHS)
    return at_most(
        "run with 1,000 messages of history against 10: growth of CPU / of what is sent",
        cost / sent,
        1,
        details=f"{cpu} ms for {size} kB with " + ", ".join(map(str, LENGTHS)),
    )


def grown(samples: Samples, name: str) -> float:
    first, *_, last = (samples.median(str(length), name) for length in LENGTHS)
    return last / first


async def carried_on(gateway: Gateway, length: int, sessions: int) -> Measured:
    """CPU of one more question in each of some sessions, and the bytes the model was sent."""
    conversations = [conversation(length) for _ in range(sessions)]
    for said in conversations:
        await heard(gateway, said[:-2])
    await settle()
    before = cpu_s(gateway.pid)
    sizes = [await heard(gateway, said) for said in conversations]
    await settle()
    return {"cpu": (cpu_s(gateway.pid) - before) / sessions * 1e6, "sent": fmean(sizes)}


def conversation(length: int) -> list[tuple[str, str]]:
    """As it stands when the upstream has answered it; no other begins alike."""
    asked, answered = ("user", question(PROBED)), ("assistant", TEXT)
    return [("user", token_hex(8)), answered, *[asked, answered] * (length // 2 - 1)]


async def heard(gateway: Gateway, said: Sequence[tuple[str, str]]) -> int:
    data = chat_request(gateway.user_key, agent=REMEMBERING, before=said, manner=PROBED)
    return int(read(await ask_once(gateway.port, data))["usage"]["prompt_tokens"])


# ---------------------------------------------------------------- cancelling


async def cancel_row(scene: Scene, gateway: Gateway) -> Row:
    count = scene.effort.some(CANCELS)
    headers = {"authorization": f"Bearer {gateway.user_key}"}
    base = f"http://127.0.0.1:{gateway.port}"
    async with aiohttp.ClientSession(base, headers=headers) as http:
        times = [await cancelled_after_s(http) for _ in range(count)]
    return at_most(
        "from cancelling a run until its stream has ended, the slowest",
        max(times) * 1e3,
        100,
        unit=" ms",
        details=f"median {median(times) * 1e3:.0f} ms of {count}",
    )


async def cancelled_after_s(http: aiohttp.ClientSession) -> float:
    """From sending the mutation to the last byte of the run's stream."""
    said = {"role": "user", "content": question(LEISURELY)}
    body = {"model": "agent-0", "stream": True, "messages": [said]}
    async with http.post(CHAT, json=body) as stream:
        await stream.content.readuntil(WORD)
        began = perf_counter()
        given = {"runId": stream.headers["x-goclaw-run-id"]}
        asked = {"query": CANCEL, "variables": {"input": given}}
        async with asyncio.TaskGroup() as group:
            ended = group.create_task(stream.read())
            answered = group.create_task(data_of(http, asked))
            await ended
            took_s = perf_counter() - began
        assert answered.result()["cancelRun"]["id"] == given["runId"]
        assert ended.result().count(WORD) < DELTAS / 2
    return took_s


async def data_of(http: aiohttp.ClientSession, asked: dict[str, Any]) -> dict[str, Any]:
    async with http.post("/graphql", json=asked) as response:
        answer = orjson.loads(await response.read())
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data
