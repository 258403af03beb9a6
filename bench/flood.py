"""A flood of random wrong keys, and what it costs those whose keys are right."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from statistics import median
from time import perf_counter
from typing import Final

from bench.gateway import Gateway
from bench.load import BadAnswer, Connection, request
from bench.machine import rss_bytes
from bench.report import Row, at_most
from bench.rounds import alternate
from bench.scene import Scene

PATH: Final = "/v1/agents?limit=1"
CALLS: Final = 600
AT_ONCE: Final = 8
MEASURED_CALLS: Final = 1_000
"""To find out how many calls a second are the whole load."""

FLOOD_PER_S: Final = 200
FAILURES_A_MINUTE: Final = 20
"""The gateway's default."""
FLOODERS: Final = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
"""All of 127/8 is this machine, so that a flood has addresses of its own."""
MB: Final = 1_000_000


@dataclass
class Flood:
    """Counts what its wrong keys were answered with."""

    port: int
    refused: int = 0
    throttled: int = 0
    began_s: float = field(default_factory=perf_counter)

    @property
    def minutes(self) -> int:
        """Begun ones, of which the first may have ended soon."""
        return int((perf_counter() - self.began_s) / 60) + 2

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for address in FLOODERS:
                group.create_task(self._from(address))

    async def _from(self, address: str) -> None:
        connection = await Connection.open(self.port, address)
        try:
            while True:
                answer = await connection.ask(listing("goclaw_" + token_hex(16)))
                if answer.status not in (401, 429):
                    raise BadAnswer(f"a random key got {answer.status}")
                self.refused += answer.status == 401
                self.throttled += answer.status == 429
                await asyncio.sleep(len(FLOODERS) / FLOOD_PER_S)
        finally:
            connection.close()


async def measure_flood(scene: Scene) -> Sequence[Row]:
    gateway = await scene.gateway()
    per_s = await _full_load(gateway) / 2
    calls = scene.effort.some(CALLS)
    flood = Flood(gateway.port)
    before = rss_bytes(gateway.pid)

    async def alone() -> dict[str, float]:
        return {"s": await _at_rate(gateway, calls, per_s)}

    async def flooded() -> dict[str, float]:
        flooding = asyncio.create_task(flood.run())
        try:
            return {"s": await _at_rate(gateway, calls, per_s)}
        finally:
            flooding.cancel()
            await asyncio.gather(flooding, return_exceptions=True)

    samples = await alternate({"alone": alone, "flooded": flooded}, scene.effort.rounds)
    if not flood.throttled:
        raise BadAnswer("the flood was never throttled")
    after = rss_bytes(gateway.pid)
    return [
        at_most(
            "valid calls at half load beside a flood of wrong keys, median",
            samples.ratio("s", "flooded", "alone"),
            1.10,
            details=f"rounds {samples.spread('s', 'flooded', 'alone')}, {per_s:.0f} calls/s beside "
            f"{FLOOD_PER_S} wrong keys/s of {len(FLOODERS)} addresses",
        ),
        at_most(
            "wrong keys that were looked up",
            flood.refused,
            FAILURES_A_MINUTE * len(FLOODERS) * flood.minutes,
            unit="",
            details=f"{flood.throttled} others were not; {FAILURES_A_MINUTE} a minute may be, "
            "of each address",
        ),
        at_most(
            "growth of memory in the flood",
            (after - before) / MB,
            5,
            unit=" MB",
            details=f"{before / MB:.0f} MB, then {after / MB:.0f}",
        ),
    ]


async def _full_load(gateway: Gateway) -> float:
    """Calls a second, as many as go."""
    began = perf_counter()
    await _call(gateway, MEASURED_CALLS, pause_s=0)
    return MEASURED_CALLS / (perf_counter() - began)


async def _at_rate(gateway: Gateway, calls: int, per_s: float) -> float:
    """Median seconds of a call."""
    return median(await _call(gateway, calls, pause_s=AT_ONCE / per_s))


async def _call(gateway: Gateway, calls: int, pause_s: float) -> list[float]:
    """Each caller begins its calls `pause_s` apart, if they are answered as quickly."""
    data = listing(gateway.user_key)
    times: list[float] = []

    async def caller(number: int) -> None:
        connection = await Connection.open(gateway.port)
        loop = asyncio.get_running_loop()
        due = loop.time() + pause_s * number / AT_ONCE
        try:
            for _ in range(calls // AT_ONCE):
                await asyncio.sleep(max(0.0, due - loop.time()))
                due += pause_s
                answer = await connection.ask(data)
                if answer.status != 200:
                    raise BadAnswer(bytes(answer.raw[:500]).decode(errors="replace"))
                times.append(answer.total_s)
        finally:
            connection.close()

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(caller(number))
    return times


def listing(key: str) -> bytes:
    return request("GET", PATH, {"authorization": f"Bearer {key}"})
