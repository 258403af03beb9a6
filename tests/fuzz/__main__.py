"""`python -m tests.fuzz [--minutes N] [--seed N]`: the long run, over every door as each role.

The server is `goclaw serve` in a process of its own, whose memory and log are looked at. Prints how
often each role asked and how it was answered; the exit status is 1 after any finding.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from tests.cli.processes import running
from tests.fuzz.bodies import requests, send
from tests.fuzz.budget import SEED, explore
from tests.fuzz.cases import over_schema
from tests.fuzz.frames import hold, talks
from tests.fuzz.judge import Finding
from tests.fuzz.roles import Role, prepared
from tests.fuzz.schema_runs import over_rest
from tests.fuzz.tally import Tally
from tests.upstream import ScriptedUpstream

TOKEN: Final = "a-token-that-nobody-guesses"
DOORS: Final = ("/v1", "graphql", "socket", "bodies")
CHAINED_S: Final = 60
"""For calls that use what earlier ones gave, as the administrator."""
MAX_GROWTH: Final = 1.25
MB: Final = 1_000_000


@dataclass(frozen=True)
class Server:
    url: str
    worker: psutil.Process
    log: Path

    @property
    def size_mb(self) -> float:
        return float(self.worker.memory_info().rss / MB)

    def complaints(self) -> list[str]:
        """What the log tells of errors of the server's own."""
        lines = map(parsed, self.log.read_text().splitlines())
        return [str(line) for line in lines if line.get("level") in ("error", "critical")]


def parsed(line: str) -> dict[str, Any]:
    """Of the log; others are the banner's."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return found


@contextmanager
def serving(folder: Path, upstream: ScriptedUpstream) -> Iterator[Server]:
    """Without limits on how often somebody may call."""
    names = ("RATE_PER_ADDRESS", "RATE_PER_CREDENTIAL", "RATE_PER_USER", "FAILURES_PER_ADDRESS")
    settings = {f"GOCLAW_{name}": "0" for name in names} | {
        "GOCLAW_GATEWAY_TOKEN": TOKEN,
        "GOCLAW_LOG_FORMAT": "json",
        "GOCLAW_ALLOWED_OUTBOUND_HOSTS": urlsplit(upstream.base_url()).netloc,
    }
    with running(folder / "data", **settings) as port:
        yield Server(f"http://127.0.0.1:{port}", worker(), folder / f"output-{port}")


def worker() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    (found,) = [child for child in children if "goclaw.cli.worker" in child.cmdline()]
    return found


def hunt(door: str, url: str, role: Role, tally: Tally, until: float, start: int) -> None:
    """Raises Finding."""
    if door == "socket":
        explore(talks(role), partial(hold, url, role, tally), until=until, start=start)
    elif door == "bodies":
        explore(requests(role), partial(send, url, role, tally), until=until, start=start)
    else:
        over_schema(door, url, role, tally, until=until, start=start)


def hunt_all(
    server: Server, roles: Sequence[Role], tally: Tally, time_s: float, seed: int
) -> list[float]:
    """The size of the worker after each role, in MB."""
    slice_s = (time_s - CHAINED_S) / (len(roles) * len(DOORS))
    sizes = []
    for role in roles:
        after = []
        for door in DOORS:
            note(tally, partial(hunt, door, server.url, role, tally, monotonic() + slice_s, seed))
            after.append(f"{door} {server.size_mb:.1f}")
        sizes.append(server.size_mb)
        print(f"{role.name}: MB after {', '.join(after)}", flush=True)
    chained = partial(over_rest, server.url, roles[-1], tally, CHAINED_S, seed=seed)
    note(tally, chained)
    return [*sizes, server.size_mb]


def note(tally: Tally, work: "partial[None]") -> None:
    """A finding ends a slice; the others go on."""
    try:
        work()
    except (Finding, ExceptionGroup) as found:  # a group of one that came and went
        tally.findings.append(str(found))


async def run(time_s: float, seed: int) -> int:
    tally = Tally()
    with TemporaryDirectory(prefix="goclaw-fuzz-") as folder:
        async with ScriptedUpstream() as upstream:
            with serving(Path(folder), upstream) as server:
                roles = await asyncio.to_thread(prepared, server.url, TOKEN, upstream)
                upstream.record = False
                # The administrator, who may take away what the others need, comes last.
                ordered = sorted(roles.values(), key=lambda role: role.name == "admin")
                sizes = await asyncio.to_thread(hunt_all, server, ordered, tally, time_s, seed)
                tally.findings += server.complaints()
    if sizes[-1] > sizes[0] * MAX_GROWTH:
        tally.findings.append(f"the worker grew from {sizes[0]:.0f} to {sizes[-1]:.0f} MB")
    print("\n".join([*tally.lines(), *tally.findings, f"findings: {len(tally.findings)}"]))
    return 1 if tally.findings else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=12, help="how long it takes in all")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first examples")
    given = parser.parse_args()
    return asyncio.run(run(given.minutes * 60, given.seed))


if __name__ == "__main__":
    sys.exit(main())
