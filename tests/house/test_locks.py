"""The lock files name every package that has to be there: they are installed without a resolver."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
DEV = [Requirement(text) for text in PROJECT["dependency-groups"]["dev"]]


def pinned(*names: str) -> set[str]:
    """Of this machine's and others', as lock files are for all."""
    texts = [(ROOT / "requirements" / f"{name}.txt").read_text() for name in names]
    return {canonicalize_name(name) for text in texts for name in PINNED.findall(text)}


def needed(requirement: Requirement, seen: set[tuple[str, str]]) -> Iterator[str]:
    """All that comes with it on this machine, extras included."""
    name = canonicalize_name(requirement.name)
    yield name
    for extra in ("", *requirement.extras):
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in distribution(name).requires or ():
            further = Requirement(text)
            if further.marker is None or further.marker.evaluate({"extra": extra}):
                yield from needed(further, seen)


@pytest.mark.parametrize(
    ("asked", "locks"), [(RUNTIME, ("runtime",)), (DEV, ("runtime", "build", "dev"))]
)
def test_whatever_a_package_needs_is_pinned(
    asked: list[Requirement], locks: tuple[str, ...]
) -> None:
    seen: set[tuple[str, str]] = set()
    wanted = {name for requirement in asked for name in needed(requirement, seen)}
    assert wanted - pinned(*locks) == set()
    assert len(wanted) > len(asked)
