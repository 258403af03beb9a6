"""From the command to the first healthy answer, with an initialised database."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import monotonic

from bench.gateway import environment, wait_until_ready
from bench.machine import as_users_start_it
from bench.report import Row, at_most, figure
from bench.scene import Scene
from bench.servers import free_port, process


def start_once(folder: Path, dsn: str | None) -> float:
    """Seconds until `/readyz` answers."""
    folder.mkdir(exist_ok=True)
    port, log = free_port(), folder.with_suffix(".log")
    began = monotonic()
    with process(
        ("-m", "goclaw", "serve"), log, cwd=folder, environment=environment(folder, port, dsn)
    ) as parent:
        wait_until_ready(port, parent, log)
        return monotonic() - began


async def measure_start(scene: Scene) -> Sequence[Row]:
    """The first start initialises and is not counted."""
    embedded, external = scene.folder / "start-embedded", scene.folder / "start-external"
    with as_users_start_it():
        first = start_once(embedded, None)
        again = [start_once(embedded, None) for _ in range(scene.effort.rounds)]
        start_once(external, scene.dsn)
        beside = [start_once(external, scene.dsn) for _ in range(scene.effort.rounds)]
    return [
        at_most(
            "start to healthy, embedded database already initialised",
            median(again),
            3,
            unit=" s",
            details=f"slowest {max(again):.2f} s; the very first start took {first:.2f} s",
        ),
        figure("  the same with an external database", f"{median(beside):.2f} s"),
    ]
