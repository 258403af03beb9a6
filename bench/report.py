"""The table that is printed and kept."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.machine import CORES

RESULTS: Final = Path(__file__).parent / "results"
HEAD: Final = ("path", "measured", "target", "met", "details")


@dataclass(frozen=True, slots=True)
class Row:
    """`met` is None for a figure without a target."""

    path: str
    measured: str
    target: str
    met: bool | None
    details: str = ""


def at_most(path: str, value: float, limit: float, unit: str = "x", details: str = "") -> Row:
    return Row(path, f"{value:.2f}{unit}", f"<= {limit:g}{unit}", value <= limit, details)


def at_least(path: str, value: float, limit: float, unit: str = "x", details: str = "") -> Row:
    return Row(path, f"{value:,.1f}{unit}", f">= {limit:,.0f}{unit}", value >= limit, details)


def figure(path: str, measured: str, details: str = "") -> Row:
    return Row(path, measured, "", None, details)


def table(rows: Sequence[Row]) -> str:
    words = {True: "yes", False: "NO", None: ""}
    lines = [HEAD, *((r.path, r.measured, r.target, words[r.met], r.details) for r in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD) - 1)]
    lines.insert(1, ("----", "--------", "------", "---", "-------"))
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        )
        for line in lines
    )


def heading(rounds: int) -> str:
    pinned = "server alone on one core" if CORES else "one core for everything"
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, "
        f"{platform.machine()}, {pinned}, {rounds} rounds"
    )


def keep(text: str) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.txt"
    path.write_text(text + "\n")
    return path
