"""Streamed chat calls: 50 deltas, 20 or 100 ms apart, and how soon the first one comes."""

from collections.abc import Sequence
from functools import partial

from bench.answers import DELTAS, LEISURE_S, LEISURELY, PACE_S, PACED
from bench.load import Answer, run_load
from bench.report import Row, at_most
from bench.rounds import Measure, Measured, Samples, alternate
from bench.scene import PEER_KEY, Scene, chat_request, cpu_of
from bench.servers import Server

OPEN = 128
STREAMS = 3 * OPEN
STREAMS_LONG = 200
STREAMS_ALONE = 200
STARVED_S = 10 * PACE_S
"""A pause of this length between two deltas would be seen."""


def whole(answer: Answer) -> bool:
    return answer.words == DELTAS and b"[DONE]" in answer.raw[-200:]


async def paced(server: Server, data: bytes, streams: int) -> Measured:
    load, measured = await cpu_of(
        server, data, calls=streams, at_once=OPEN, check=whole, spread_s=DELTAS * PACE_S
    )
    starved = sum(answer.longest_pause_s > STARVED_S for answer in load.answers)
    return {
        "cpu": measured["cpu"] / DELTAS,
        "first": load.median_first_s() * 1e6,
        "pause": load.longest_pause_s() * 1e3,
        "starved": starved,
    }


async def leisurely(server: Server, data: bytes) -> Measured:
    """All begin within the time between two deltas."""
    load = await run_load(
        server.port,
        data,
        calls=STREAMS_LONG,
        at_once=STREAMS_LONG,
        check=whole,
        spread_s=LEISURE_S,
    )
    return {"p99": load.pause_s(99) * 1e3, "p50": load.pause_s(50) * 1e3}


async def burst(server: Server, data: bytes, streams: int) -> Measured:
    load = await run_load(server.port, data, calls=streams, at_once=1, check=whole)
    return {"first": load.median_first_s() * 1e6}


async def measure_streams(scene: Scene) -> Sequence[Row]:
    gateway = await scene.gateway()
    servers = {
        "direct": (scene.upstream, PEER_KEY),
        "parsed": (scene.bare("parsed"), PEER_KEY),
        "bare+3": (await scene.three(), PEER_KEY),
        "gateway": (gateway, gateway.user_key),
    }
    streams = max(OPEN, scene.effort.some(STREAMS))
    many: dict[str, Measure] = {
        name: partial(paced, server, chat_request(key, stream=True, manner=PACED), streams)
        for name, (server, key) in servers.items()
    }
    streams = scene.effort.some(STREAMS_ALONE)
    single: dict[str, Measure] = {
        name: partial(burst, server, chat_request(key, stream=True), streams)
        for name, (server, key) in servers.items()
    }
    long: dict[str, Measure] = {
        name: partial(leisurely, server, chat_request(key, stream=True, manner=LEISURELY))
        for name, (server, key) in servers.items()
        if name != "bare+3"
    }
    open_128 = await alternate(many, scene.effort.rounds)
    alone = await alternate(single, scene.effort.rounds)
    open_200 = await alternate(long, scene.effort.rounds)
    return [
        cpu_row(open_128),
        first_row("alone", alone),
        first_row(f"{OPEN} open", open_128),
        starved_row(open_128),
        pause_row(open_200),
    ]


def cpu_row(samples: Samples) -> Row:
    ours, theirs = (samples.median(name, "cpu") for name in ("gateway", "parsed"))
    return at_most(
        f"paced stream, CPU a delta, {OPEN} open / bare with a parse a delta",
        ours / theirs,
        1.5,
        details=f"{ours:.1f} / {theirs:.1f} us, rounds "
        f"{samples.spread('cpu', 'gateway', 'parsed')}, "
        f"bare+3 {samples.median('bare+3', 'cpu'):.1f}",
    )


def first_row(when: str, samples: Samples) -> Row:
    direct = samples.median("direct", "first")
    added = {n: samples.median(n, "first") - direct for n in ("parsed", "bare+3", "gateway")}
    return at_most(
        f"added time to first delta, {when} / bare+3",
        added["gateway"] / added["bare+3"],
        1.5,
        details=f"{added['gateway']:.0f} / {added['bare+3']:.0f} us on top of {direct:.0f} "
        f"(bare with a parse {added['parsed']:.0f})",
    )


def starved_row(samples: Samples) -> Row:
    pauses = {n: samples.highest(n, "pause") for n in ("gateway", "parsed", "direct")}
    return at_most(
        f"streams with a pause over {STARVED_S * 1e3:.0f} ms, {OPEN} open",
        samples.highest("gateway", "starved"),
        0,
        unit="",
        details=f"longest pause {pauses['gateway']:.0f} ms, bare with a parse "
        f"{pauses['parsed']:.0f}, direct {pauses['direct']:.0f}",
    )


def pause_row(samples: Samples) -> Row:
    pauses = {n: samples.median(n, "p99") for n in ("gateway", "parsed", "direct")}
    return at_most(
        f"{STREAMS_LONG} streams of {DELTAS * LEISURE_S:.0f} s, p99 between deltas / bare",
        pauses["gateway"] / pauses["parsed"],
        1.5,
        details=f"{pauses['gateway']:.0f} / {pauses['parsed']:.0f} ms, direct "
        f"{pauses['direct']:.0f}, median {samples.median('gateway', 'p50'):.0f}",
    )
