"""docs/security.md says of each weakness which tests show that it does not hold."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(test_weakness_\d+_\w+)`")
DEFINED = re.compile(r"def (test_weakness_(\d+)_\w+)\(")
WEAKNESSES = range(1, 51)


def defined() -> dict[int, set[str]]:
    tests: dict[int, set[str]] = {number: set() for number in WEAKNESSES}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name, number in DEFINED.findall(path.read_text()):
            tests[int(number)].add(name)
    return tests


def listed() -> dict[int, str]:
    return {int(number): shown for number, _, shown in ROW.findall(PAGE.read_text())}


def test_every_weakness_is_listed_once() -> None:
    numbers = [int(number) for number, _, _ in ROW.findall(PAGE.read_text())]
    assert numbers == list(WEAKNESSES)


@pytest.mark.parametrize("number", WEAKNESSES)
def test_it_names_its_tests_or_what_it_arrives_with(number: int) -> None:
    shown = listed()[number]
    assert set(NAMED.findall(shown)) == defined()[number]
    assert defined()[number] or shown.startswith("arrives with ")
