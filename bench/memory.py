"""What a worker holds: idle, and over many calls."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bench.chat import AT_ONCE, whole
from bench.database import create_database
from bench.gateway import seeded, started
from bench.load import run_load
from bench.machine import rss_bytes
from bench.report import Row, at_most
from bench.scene import Scene, chat_request

WARM_UP: Final = 4_000
CALLS: Final = 20_000
STEPS: Final = 10
IDLE_S: Final = 2.0
MB: Final = 1_000_000


async def measure_memory(scene: Scene) -> Sequence[Row]:
    """A gateway and database of its own, as nothing is to be warm."""
    dsn = await create_database(scene.dsn, "goclaw_memory")
    folder = scene.folder / "gateway-memory"
    with started(folder, dsn, upstream_port=scene.upstream.port) as server:
        await asyncio.sleep(IDLE_S)
        idle = rss_bytes(server.pid)
        gateway = await seeded(server, scene.upstream.port)
        data = chat_request(gateway.user_key)
        step = scene.effort.some(CALLS // STEPS)
        sizes: list[int] = []
        for calls in (scene.effort.some(WARM_UP), *[step] * STEPS):
            await run_load(gateway.port, data, calls=calls, at_once=AT_ONCE, check=whole)
            await asyncio.sleep(0.5)
            sizes.append(rss_bytes(server.pid))
    warm, *later = (size / MB for size in sizes)
    return [
        at_most("memory of an idle worker", idle / MB, 150, unit=" MB"),
        at_most(
            f"growth over {step * STEPS:,} calls after warm-up",
            (max(later) / warm - 1) * 100,
            10,
            unit="%",
            details=f"{warm:.0f} MB, then " + " ".join(f"{size:.0f}" for size in later),
        ),
    ]
