"""`python -m tests.upstream --port 9100 --deltas 50 --every-ms 20`: a vendor for the bench."""

import argparse
import asyncio
import sys

import uvloop

from tests.upstream.script import Script
from tests.upstream.server import ScriptedUpstream


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--text", default=" ".join(f"word{number:04}" for number in range(50)))
    parser.add_argument("--deltas", type=int, default=50)
    parser.add_argument("--every-ms", type=float, default=0)
    parser.add_argument("--burst", action="store_true")
    return parser.parse_args()


async def main() -> None:
    given = _arguments()
    script = Script(
        text=given.text, deltas=given.deltas, every=given.every_ms / 1000, burst=given.burst
    )
    upstream = ScriptedUpstream(given.port, script)
    upstream.record = False
    await upstream.start()
    sys.stdout.write(f"{upstream.url}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await upstream.stop()


if __name__ == "__main__":
    uvloop.run(main())
