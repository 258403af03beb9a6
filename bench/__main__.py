"""`python -m bench [part ...] [--rounds N] [--quick]`"""

import argparse
import asyncio
import logging
import signal
import sys
import traceback
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final

import structlog
import uvloop

from bench.chat import measure_chat
from bench.events import measure_events
from bench.flood import measure_flood
from bench.graphql import measure_graphql
from bench.keys import measure_keys
from bench.lists import measure_lists
from bench.machine import pin_beside
from bench.memory import measure_memory
from bench.report import Row, heading, keep, table
from bench.runs import measure_runs
from bench.scene import Effort, Part, Scene
from bench.start import measure_start
from bench.stream import measure_streams
from bench.traces import measure_traces
from bench.trips import measure_trips
from goclaw.cli.worker import keep_loaded

PARTS: Final[Mapping[str, Part]] = {
    "start": measure_start,
    "chat": measure_chat,
    "stream": measure_streams,
    "lists": measure_lists,
    "graphql": measure_graphql,
    "keys": measure_keys,
    "traces": measure_traces,
    "events": measure_events,
    "runs": measure_runs,
    "trips": measure_trips,
    "flood": measure_flood,
    "memory": measure_memory,
}
QUICK: Final = Effort(rounds=2, scale=0.2)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="all of them without one")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="two short rounds, for a first look")
    return parser.parse_args()


async def outcome(name: str, scene: Scene) -> Sequence[Row]:
    """A part that breaks is a row, too, and the others go on."""
    try:
        return await PARTS[name](scene)
    except Exception as error:  # noqa: BLE001 - the row tells it
        traceback.print_exception(error)
        return [Row(name, "broke", "", met=False, details=repr(error)[:200])]


async def measure(names: Sequence[str], effort: Effort) -> list[Row]:
    rows: list[Row] = []
    with TemporaryDirectory(prefix="goclaw-bench-") as folder:
        async with Scene(Path(folder), effort) as scene:
            for name in names:
                began = monotonic()
                rows += await outcome(name, scene)
                print(f"  {name}: {monotonic() - began:.0f} s", file=sys.stderr)
    return rows


async def until_stopped(work: Coroutine[Any, Any, list[Row]]) -> list[Row]:
    """SIGTERM ends the servers, too."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main() -> int:
    given = arguments()
    effort = QUICK if given.quick else Effort(rounds=given.rounds, scale=1)
    pin_beside()
    keep_loaded()  # what is measured in this process is measured as in a worker
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print("Measuring; the machine should be idle otherwise.", file=sys.stderr)
    rows = uvloop.run(until_stopped(measure(given.part or list(PARTS), effort)))
    text = f"{heading(effort.rounds)}\n\n{table(rows)}"
    kept = keep(text)
    print(f"\n{text}\n\nkept in bench/results/{kept.name}")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
