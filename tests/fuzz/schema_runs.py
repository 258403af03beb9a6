"""Schemathesis over the two schemas: the OpenAPI document of `/v1`, and that of `/graphql`."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.fuzz.budget import SEED
from tests.fuzz.judge import Finding
from tests.fuzz.roles import Role
from tests.fuzz.tally import Tally

ROOT: Final = Path(__file__).parents[2]
GRACE_S: Final = 90
"""Loading the schema, and the call under way, are not in the time given."""


def over_rest(
    url: str, role: Role, tally: Tally, time_s: int, *options: str, seed: int = SEED
) -> None:
    """All checks but one, which takes a row that an earlier call deleted for one that was just
    made. Raises Finding.
    """
    checks = ("--checks=all", "--exclude-checks=ensure_resource_availability")
    place = (f"{url}/v1/openapi.json", *checks)
    _run("/v1", place, role, tally, time_s, options, seed)


def over_graphql(
    url: str, role: Role, tally: Tally, time_s: int, *options: str, seed: int = SEED
) -> None:
    """Its own check takes every error for the server's, so ours alone."""
    place = ("schema.graphql", f"--url={url}/graphql", "--checks=within_bounds")
    _run("graphql", place, role, tally, time_s, options, seed)


def _run(
    door: str,
    place: Sequence[str],
    role: Role,
    tally: Tally,
    time_s: int,
    options: Sequence[str],
    seed: int,
) -> None:
    headers = [f"--header={name}: {value}" for name, value in role.headers.items()]
    command = (
        sys.executable, "-m", "schemathesis.cli", "run", *place, "--no-color", "--workers=1",
        "--generation-database=:memory:", "--warnings=off", f"--max-time={time_s}",
        f"--seed={seed}", *headers, *options,
    )  # fmt: skip
    with TemporaryDirectory(prefix="goclaw-fuzz-") as folder:
        counted = Path(folder) / "tally.json"
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ
            | {
                "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
                "GOCLAW_FUZZ_ROLE": role.written(),
                "GOCLAW_FUZZ_TALLY": str(counted),
            },
            capture_output=True,
            text=True,
            timeout=time_s + GRACE_S,
            check=False,
        )
        for answer, times in json.loads(counted.read_text()).items() if counted.exists() else ():
            tally.count(door, role.name, answer, times)
    if done.returncode != 0:
        raise Finding(f"{door} as {role.name}:\n{done.stdout[-8000:]}{done.stderr[-2000:]}")
