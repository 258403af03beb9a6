"""Chat calls that are not streamed."""

from collections.abc import Sequence
from functools import partial

from bench.answers import DELTAS
from bench.load import Answer, run_load
from bench.report import Row, at_most
from bench.rounds import Measure, Measured, Samples, alternate
from bench.scene import PEER_KEY, Scene, chat_request, cpu_of
from bench.servers import Server

CALLS = 700
SHORT_ROUNDS = 6
"""So many for one, as what the machine does besides changes within seconds: single rounds spread
by half and more, and the median of many short ones by a tenth.
"""
AT_ONCE = 32
CALLS_ALONE = 300


def whole(answer: Answer) -> bool:
    return answer.words == DELTAS


async def cpu_at_once(server: Server, data: bytes, calls: int) -> Measured:
    _, measured = await cpu_of(server, data, calls=calls, at_once=AT_ONCE, check=whole)
    return measured


async def latency_alone(server: Server, data: bytes, calls: int) -> Measured:
    load = await run_load(server.port, data, calls=calls, at_once=1, check=whole)
    return {"wall": load.median_s() * 1e6}


async def measure_chat(scene: Scene) -> Sequence[Row]:
    gateway, three = await scene.gateway(), await scene.three()
    servers: dict[str, tuple[Server, bytes]] = {
        "bare": (scene.bare("bare"), chat_request(PEER_KEY)),
        "bare+3": (three, chat_request(PEER_KEY)),
        "gateway": (gateway, chat_request(gateway.user_key)),
    }
    calls = scene.effort.some(CALLS)
    busy: dict[str, Measure] = {
        name: partial(cpu_at_once, *server, calls) for name, server in servers.items()
    }
    at_once = await alternate(busy, SHORT_ROUNDS * scene.effort.rounds)
    direct = (scene.upstream, chat_request(PEER_KEY))
    calls = scene.effort.some(CALLS_ALONE)
    quiet: dict[str, Measure] = {
        name: partial(latency_alone, *server, calls)
        for name, server in {"direct": direct, **servers}.items()
    }
    alone = await alternate(quiet, scene.effort.rounds)
    return [*cpu_rows(at_once), *latency_rows(alone)]


def cpu_rows(samples: Samples) -> list[Row]:
    cpu = {name: samples.median(name, "cpu") for name in ("bare", "bare+3", "gateway")}
    rate = samples.median("gateway", "rate")
    return [
        at_most(
            f"chat call, everything on, CPU at {AT_ONCE} at once / bare+3",
            samples.ratio("cpu", "gateway", "bare+3"),
            1.5,
            details=f"{cpu['gateway']:.0f} / {cpu['bare+3']:.0f} us, rounds "
            f"{samples.spread('cpu', 'gateway', 'bare+3')}, {rate:.0f} calls/s",
        ),
        at_most(
            "  the same / bare",
            samples.ratio("cpu", "gateway", "bare"),
            3,
            details=f"{cpu['gateway']:.0f} / {cpu['bare']:.0f} us, rounds "
            f"{samples.spread('cpu', 'gateway', 'bare')}",
        ),
    ]


def latency_rows(samples: Samples) -> list[Row]:
    wall = {name: samples.median(name, "wall") for name in ("direct", "bare", "bare+3", "gateway")}
    added = {name: value - wall["direct"] for name, value in wall.items()}
    return [
        at_most(
            "chat call, added median latency at 1 / bare+3",
            added["gateway"] / added["bare+3"],
            1.5,
            details=f"{added['gateway']:.0f} / {added['bare+3']:.0f} us on top of "
            f"{wall['direct']:.0f} (bare {added['bare']:.0f})",
        )
    ]
